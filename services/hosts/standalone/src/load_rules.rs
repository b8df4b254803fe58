//! Rules from files into force.

use crate::exit::bad_input;
use crate::installation::Installation;
use mantissa_detection::{CompiledRule, LoadedRules, ProblemSeverity, load_rules};
use mantissa_ports::stores::StoredRule;
use mantissa_scheduler::{RuleInForce, activate_rules};
use std::path::PathBuf;
use tracing::{error, info, warn};

/// Loads rules; a path that is not there is an error, not an empty set.
pub(crate) fn load(paths: &[PathBuf]) -> anyhow::Result<LoadedRules> {
    for path in paths {
        if !path.exists() {
            return Err(bad_input(format!("rules: {} is not there", path.display())));
        }
    }
    Ok(load_rules(paths))
}

/// Loads the configured rules and activates those that are enabled. What is wrong with the others is logged.
pub(crate) async fn activate(installation: &Installation) -> anyhow::Result<usize> {
    let loaded = load(&installation.config.rules.paths)?;
    for problem in &loaded.problems {
        match problem.severity {
            ProblemSeverity::Error => error!("{problem}"),
            ProblemSeverity::NotSupportedYet | ProblemSeverity::Warning => warn!("{problem}"),
        }
    }
    let in_force: Vec<RuleInForce> =
        loaded.rules.iter().filter(|rule| rule.enabled).map(|rule| in_force(installation, rule)).collect();
    if in_force.is_empty() {
        return Err(bad_input(format!(
            "no rule of {:?} is enabled and loads; `mantissa rules lint` says why",
            installation.config.rules.paths
        )));
    }
    activate_rules(&installation.scheduler(), installation.rules.as_ref(), &in_force).await?;
    info!("{} rules in force, {} problems", in_force.len(), loaded.problems.len());
    Ok(in_force.len())
}

fn in_force(installation: &Installation, rule: &CompiledRule) -> RuleInForce {
    RuleInForce {
        stored: StoredRule {
            rule_id: rule.rule.rule_id.clone(),
            rule_version: rule.rule.rule_version.clone(),
            path: rule.path.clone(),
            yaml: rule.yaml.clone(),
        },
        table: rule.table.to_owned(),
        every_s: installation.config.scheduler.every_s.unwrap_or(rule.every.as_secs()),
    }
}
