//! `mantissa rules`: lint, test, list, show the SQL, prove coverage.

use super::Invocation;
use crate::arguments::RulesCommand;
use crate::exit::{FOUND_PROBLEMS, bad_input};
use crate::load_rules::load;
use crate::output::{self, Format};
use crate::run_rule_tests::{TestOutcome, run_rule_tests};
use mantissa_contracts::ids::RuleId;
use mantissa_contracts::time::TimeWindow;
use mantissa_detection::{LoadedRules, ProblemSeverity, QueryBounds};
use mantissa_scheduler::prove_coverage;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, command: RulesCommand) -> anyhow::Result<ExitCode> {
    match command {
        RulesCommand::Lint { paths } => lint(invocation, &load_named(invocation, paths)?),
        RulesCommand::Test { paths } => test(invocation, &load_named(invocation, paths)?).await,
        RulesCommand::List { paths } => list(invocation, &load_named(invocation, paths)?),
        RulesCommand::ShowSql { path } => show_sql(&load(&[path])?),
        RulesCommand::Prove { rule, from, to } => prove(invocation, &rule, TimeWindow::new(from, to)).await,
    }
}

/// Without paths, the configured ones.
fn load_named(invocation: &Invocation, paths: Vec<PathBuf>) -> anyhow::Result<LoadedRules> {
    load(if paths.is_empty() { &invocation.config.rules.paths } else { &paths })
}

fn lint(invocation: &Invocation, loaded: &LoadedRules) -> anyhow::Result<ExitCode> {
    let count = |severity| loaded.problems.iter().filter(|problem| problem.severity == severity).count();
    match invocation.format {
        Format::Json => output::json(&loaded.problems)?,
        Format::Table => {
            loaded.problems.iter().for_each(|problem| output::line(&problem.to_string()));
            output::line(&format!(
                "{} rules load; {} errors, {} not supported yet, {} warnings",
                loaded.rules.len(),
                count(ProblemSeverity::Error),
                count(ProblemSeverity::NotSupportedYet),
                count(ProblemSeverity::Warning)
            ));
        }
    }
    let nothing = loaded.rules.is_empty() && loaded.problems.is_empty();
    if nothing {
        return Err(bad_input("no rule file (*.yml, *.yaml) was found"));
    }
    Ok(if count(ProblemSeverity::Error) == 0 { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}

async fn test(invocation: &Invocation, loaded: &LoadedRules) -> anyhow::Result<ExitCode> {
    for problem in loaded.problems.iter().filter(|problem| problem.severity == ProblemSeverity::Error) {
        output::note(&problem.to_string());
    }
    let outcomes = run_rule_tests(&loaded.rules).await?;
    let n_failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    match invocation.format {
        Format::Json => output::json(&outcomes)?,
        Format::Table => {
            for TestOutcome { path, line, rule, test, failure } in &outcomes {
                if let Some(failure) = failure {
                    output::line(&format!("{path}:{line}: `{rule}`, test `{test}`: {failure}"));
                }
            }
            output::line(&format!("{} passed, {n_failed} failed", outcomes.len() - n_failed));
        }
    }
    let broken = loaded.problems.iter().any(|problem| problem.severity == ProblemSeverity::Error);
    Ok(if n_failed == 0 && !broken { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}

fn list(invocation: &Invocation, loaded: &LoadedRules) -> anyhow::Result<ExitCode> {
    match invocation.format {
        Format::Json => {
            let rules: Vec<_> = loaded
                .rules
                .iter()
                .map(|rule| {
                    json!({
                        "rule": rule.rule, "path": rule.path, "table": rule.table, "enabled": rule.enabled,
                        "every_s": rule.every.as_secs(), "n_tests": rule.tests.len(),
                    })
                })
                .collect();
            output::json(&rules)?;
        }
        Format::Table => output::table(
            &["severity", "title", "table", "every", "tests", "enabled", "id"],
            loaded.rules.iter().map(|rule| {
                vec![
                    rule.rule.severity.to_string(),
                    rule.rule.title.clone(),
                    rule.table.to_owned(),
                    format!("{} s", rule.every.as_secs()),
                    rule.tests.len().to_string(),
                    if rule.enabled { "yes" } else { "no" }.to_owned(),
                    rule.rule.rule_id.to_string(),
                ]
            }),
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn show_sql(loaded: &LoadedRules) -> anyhow::Result<ExitCode> {
    loaded.problems.iter().for_each(|problem| output::note(&problem.to_string()));
    for rule in &loaded.rules {
        output::line(&format!("-- {} ({})", rule.rule.title, rule.rule.rule_id));
        output::line(&format!("{};", rule.query(&QueryBounds::unbounded())));
    }
    Ok(if loaded.rules.is_empty() { ExitCode::from(FOUND_PROBLEMS) } else { ExitCode::SUCCESS })
}

async fn prove(invocation: &Invocation, rule: &str, span: TimeWindow) -> anyhow::Result<ExitCode> {
    let installation = invocation.open()?;
    let coverage = prove_coverage(installation.ledger.as_ref(), &RuleId::new(rule), span).await?;
    match invocation.format {
        Format::Json => {
            output::json(&json!({ "windows": coverage.rows, "gaps": coverage.gaps, "overlaps": coverage.overlaps }))?
        }
        Format::Table => {
            output::table(
                &["window", "attempt", "state"],
                coverage.rows.iter().map(|row| {
                    let state = serde_json::to_string(&row.state).unwrap_or_default();
                    vec![row.window.to_string(), row.attempt.to_string(), state]
                }),
            );
            coverage.gaps.iter().for_each(|gap| output::line(&format!("gap: {gap}")));
            coverage.overlaps.iter().for_each(|overlap| output::line(&format!("judged twice: {overlap}")));
            output::line(&format!("{} windows, {} gaps", coverage.rows.len(), coverage.gaps.len()));
        }
    }
    Ok(if coverage.gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}
