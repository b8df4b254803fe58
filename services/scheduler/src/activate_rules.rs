//! Brings the rules in force into the ledger.

use crate::{Error, SchedulerDeps};
use mantissa_ports::stores::{RuleActivation, RuleStore, StoredRule};
use std::collections::BTreeSet;

/// A rule that is to be judged from now on.
#[derive(Debug, Clone)]
pub struct RuleInForce {
    pub stored: StoredRule,
    pub table: String,
    pub every_s: u64,
}

/// Stores every version, activates it, and deactivates the rules that are not among them. A rule seen before
/// goes on where it was planned to; a new one starts now.
pub async fn activate_rules(
    deps: &SchedulerDeps,
    rules: &dyn RuleStore,
    in_force: &[RuleInForce],
) -> Result<(), Error> {
    let from = deps.clock.now();
    for rule in in_force {
        rules.put(&rule.stored).await?;
        deps.ledger
            .activate(&RuleActivation {
                rule_id: rule.stored.rule_id.clone(),
                rule_version: rule.stored.rule_version.clone(),
                table: rule.table.clone(),
                every_s: rule.every_s,
                from,
            })
            .await?;
    }
    let wanted: BTreeSet<_> = in_force.iter().map(|rule| &rule.stored.rule_id).collect();
    for schedule in deps.ledger.schedules().await? {
        if schedule.enabled && !wanted.contains(&schedule.rule_id) {
            deps.ledger.deactivate(&schedule.rule_id).await?;
        }
    }
    Ok(())
}
