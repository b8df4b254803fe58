//! A `condition` → its boolean expression, and the legacy aggregation behind a `|`, where there is one.

use regex::Regex;
use rsigma_parser::{ConditionExpr, parse_condition as parse_expression};

/// Longer conditions are no rule a person wrote; the parser below recurses over parentheses.
const MAX_LENGTH: usize = 16 * 1024;
const MAX_NESTING: usize = 32;
const MAX_NEGATIONS: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) expression: ConditionExpr,
    pub(crate) aggregation: Option<Aggregation>,
}

/// `| count(distinct) by group_by >= at_least`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aggregation {
    pub(crate) distinct: Option<String>,
    pub(crate) group_by: Option<String>,
    pub(crate) at_least: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConditionError {
    Wrong(String),
    NotSupportedYet(String),
}

pub(crate) fn parse_condition(text: &str) -> Result<Condition, ConditionError> {
    let text = text.replace(['\r', '\n'], " ");
    let (expression, aggregation) = match text.split_once('|') {
        Some((expression, aggregation)) => (expression, Some(parse_aggregation(aggregation.trim())?)),
        None => (text.as_str(), None),
    };
    check_size(expression)?;
    let expression = parse_expression(expression.trim()).map_err(|error| {
        // The parser draws the line with a caret under it; a problem is one line.
        let reason = error.to_string();
        let last = reason.lines().rev().find_map(|line| line.trim().strip_prefix("= ").map(str::to_owned));
        ConditionError::Wrong(format!("condition cannot be read: {}", last.unwrap_or(reason)))
    })?;
    Ok(Condition { expression, aggregation })
}

fn check_size(text: &str) -> Result<(), ConditionError> {
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(ConditionError::Wrong(format!("condition nests deeper than {MAX_NESTING} parentheses")));
        }
    }
    let n_negations = text.split_whitespace().filter(|word| word.contains("not")).count();
    if text.len() > MAX_LENGTH || n_negations > MAX_NEGATIONS {
        return Err(ConditionError::Wrong("condition is too long".to_owned()));
    }
    Ok(())
}

fn parse_aggregation(text: &str) -> Result<Aggregation, ConditionError> {
    let function = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    if function == "near" {
        return Err(ConditionError::NotSupportedYet(
            "the legacy aggregation `near` is a temporal correlation, and correlations are not built yet".to_owned(),
        ));
    }
    if matches!(function, "min" | "max" | "avg" | "sum" | "value_count") {
        return Err(ConditionError::NotSupportedYet(format!(
            "the legacy aggregation `{function}` is not translated, only `count`; a `mantissa.threshold` may say the same"
        )));
    }
    let wrong = || {
        ConditionError::Wrong(format!(
            "legacy aggregation `{text}` cannot be read; expected `count(field) by field > n`"
        ))
    };
    let form = Regex::new(r"^count\s*\(\s*([^()\s]*)\s*\)\s*(?:by\s+(.+?)\s*)?(>=|<=|==|=|>|<)\s*(\d+)$")
        .map_err(|_| wrong())?;
    let parts = form.captures(text).ok_or_else(wrong)?;
    let part = |n: usize| parts.get(n).map(|found| found.as_str()).filter(|found| !found.is_empty());

    let group_by = part(2).map(str::to_owned);
    if group_by.as_deref().is_some_and(|fields| fields.contains([',', ' '])) {
        return Err(ConditionError::NotSupportedYet(
            "a legacy aggregation over more than one field is not translated; name the fields in `mantissa.group_by`"
                .to_owned(),
        ));
    }
    let number: u64 = part(4).and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    let at_least = match part(3) {
        Some(">") => number.checked_add(1).ok_or_else(wrong)?,
        Some(">=") => number,
        _ => {
            return Err(ConditionError::NotSupportedYet(
                "a legacy aggregation that is true below or at a count has no matching event to report".to_owned(),
            ));
        }
    };
    if at_least == 0 {
        return Err(ConditionError::Wrong("a count of at least 0 is always reached".to_owned()));
    }
    Ok(Aggregation { distinct: part(1).map(str::to_owned), group_by, at_least })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_count_becomes_the_next_number() {
        let condition = parse_condition("selection | count() by sourceIPAddress > 5").unwrap();
        let expected = Aggregation { distinct: None, group_by: Some("sourceIPAddress".to_owned()), at_least: 6 };
        assert_eq!(condition.aggregation, Some(expected));
    }

    #[test]
    fn count_of_a_field_counts_distinct_values() {
        let condition = parse_condition("a and not b | count(eventName) by userIdentity.arn >= 3").unwrap();
        let aggregation = condition.aggregation.unwrap();
        assert_eq!(aggregation.distinct.as_deref(), Some("eventName"));
        assert_eq!(aggregation.at_least, 3);
    }

    #[test]
    fn near_and_upper_bounds_are_said_to_be_unsupported() {
        for text in ["a | near b", "a | count() < 3", "a | sum(x) by y > 3", "a | count() by x, y > 3"] {
            assert!(matches!(parse_condition(text), Err(ConditionError::NotSupportedYet(_))), "{text}");
        }
    }

    #[test]
    fn nonsense_is_wrong_and_deep_nesting_does_not_overflow_the_stack() {
        let deep = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
        let many_nots = format!("{}a", "not ".repeat(3000));
        for text in ["", "a and", "a | count( > 3", "1 of", &deep, &many_nots] {
            assert!(matches!(parse_condition(text), Err(ConditionError::Wrong(_))));
        }
    }
}
