//! Whole rules, from YAML to SQL. What the SQL means on an engine is tested where the engines are.

mod bad_input;
mod detection_sql;
mod mantissa_settings;
mod shared_rules;
mod titles;

use crate::{CompiledRule, Problem, compile_rule};

/// A CloudTrail rule around a detection section.
fn rule(detection: &str) -> String {
    let indented: String = detection.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "title: A rule\nid: 11111111-2222-4333-8444-555555555555\nlevel: high\n\
         logsource: {{product: aws, service: cloudtrail}}\ndetection:\n{indented}"
    )
}

fn compile(yaml: &str) -> CompiledRule {
    compile_rule("rule.yml", yaml).unwrap_or_else(|problems| panic!("{}\n{yaml}", show(&problems)))
}

fn problems(yaml: &str) -> Vec<Problem> {
    match compile_rule("rule.yml", yaml) {
        Ok(rule) => rule.problems,
        Err(problems) => problems,
    }
}

fn show(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// The predicate of one selection item.
fn item(item: &str) -> String {
    compile(&rule(&format!("selection:\n  {item}\ncondition: selection"))).predicate_sql()
}

/// The predicate of one negated selection item.
fn negated(item: &str) -> String {
    compile(&rule(&format!("selection:\n  {item}\ncondition: not selection"))).predicate_sql()
}
