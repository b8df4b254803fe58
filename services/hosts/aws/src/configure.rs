//! A configuration into force: its rules into the ledger, its destinations into their table.

use crate::deployment::Deployment;
use anyhow::bail;
use mantissa_detection::CompiledRule;
use mantissa_notifiers::sync_destinations;
use mantissa_ports::stores::StoredRule;
use mantissa_scheduler::{RuleInForce, SchedulerConfig, SchedulerDeps, activate_rules};

pub struct Configured {
    pub n_rules: usize,
    pub n_destinations: usize,
    /// Of the rules, those in force and the others, and of what is configured for nothing.
    pub problems: Vec<String>,
}

/// Brings every enabled rule that loads into force. One that does not is among the problems; when none loads, nothing is
/// changed.
pub async fn configure(deployment: &Deployment) -> anyhow::Result<Configured> {
    let mut configuration = deployment.configuration().await?;
    let loaded = configuration.rules()?;
    let every_s = configuration.settings.scheduler.every_s;
    let in_force: Vec<RuleInForce> =
        loaded.rules.iter().filter(|rule| rule.enabled).map(|rule| in_force(rule, every_s)).collect();
    let mut problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    if configuration.settings.mail.as_ref().is_some_and(|mail| mail.smtp.is_some()) {
        problems.push("mail.smtp: not used on AWS, where SES sends".to_owned());
    }
    if in_force.is_empty() {
        bail!("no rule is enabled and loads: {}", problems.join("; "));
    }
    // What enrichment would fail on at every start fails the deployment.
    configuration.assets()?;
    configuration.addresses()?;
    configuration.settings.routing()?;
    let destinations = configuration.settings.destinations();
    sync_destinations(deployment.destinations()?.as_ref(), &destinations).await?;
    let deps = SchedulerDeps {
        ledger: deployment.ledger()?,
        ingests: deployment.ingests()?,
        clock: deployment.clock.clone(),
        config: SchedulerConfig::default(),
    };
    activate_rules(&deps, deployment.rules()?.as_ref(), &in_force).await?;
    Ok(Configured { n_rules: in_force.len(), n_destinations: destinations.len(), problems })
}

fn in_force(rule: &CompiledRule, every_s: Option<u64>) -> RuleInForce {
    RuleInForce {
        stored: StoredRule {
            rule_id: rule.rule.rule_id.clone(),
            rule_version: rule.rule.rule_version.clone(),
            path: rule.path.clone(),
            yaml: rule.yaml.clone(),
        },
        table: rule.table.to_owned(),
        every_s: every_s.unwrap_or(rule.every.as_secs()),
    }
}
