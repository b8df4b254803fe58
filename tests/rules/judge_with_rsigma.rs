//! The same question put to another implementation of Sigma, which walks the event's JSON.

use rsigma_eval::event::JsonEvent;
use rsigma_eval::{compile_rule, evaluate_rule};
use rsigma_parser::parse_sigma_yaml;
use serde_json::Value;

/// Which of `events` each rule matches; why not, where it does not take the rule.
pub(crate) fn rsigma_verdicts(rules: &[String], events: &[Value]) -> Vec<Result<Vec<bool>, String>> {
    rules.iter().map(|yaml| judge(yaml, events)).collect()
}

fn judge(yaml: &str, events: &[Value]) -> Result<Vec<bool>, String> {
    let collection = parse_sigma_yaml(yaml).map_err(|error| error.to_string())?;
    let [rule] = collection.rules.as_slice() else {
        return Err(format!("{} rules read, with errors {:?}", collection.rules.len(), collection.errors));
    };
    let rule = compile_rule(rule).map_err(|error| error.to_string())?;
    Ok(events.iter().map(|event| evaluate_rule(&rule, &JsonEvent::borrow(event)).is_some()).collect())
}
