//! Rules: Sigma documents with a `mantissa:` block, or SQL, compiled to Trino SQL.
//!
//! The way of a rule: [`load_rules`](load_rules::load_rules) finds files and cuts them into documents; `read_yaml` keeps
//! every node's place; `convert_detection` and `apply_modifiers` turn Sigma into a small typed expression; `resolve_field`
//! finds fields in the catalogue; `lower_*` writes the predicate; [`CompiledRule::query`] puts the bounds of a run
//! around it.
//!
//! Invariants:
//! - A document gives a rule or a problem with file, line and column; nothing is skipped.
//! - A missing field equals null, and a negated comparison with a missing field is true: no predicate is NULL under a NOT.
//! - A field that no column has degrades its rule and is reported; it is never a silent false.
//! - No SQL made here reads a clock: the same rule and bounds give the same text.

mod apply_modifiers;
mod ast;
mod compile_rule;
mod compiled_rule;
mod convert_detection;
mod encode_values;
mod error;
mod expand_placeholders;
mod load_rules;
mod log_source;
mod lower_json;
mod lower_leaf;
mod lower_rule;
mod lower_text;
mod mantissa_block;
mod nearest_name;
mod parse_condition;
mod problem;
mod query_bounds;
mod query_together;
mod read_metadata;
mod read_yaml;
mod render_title;
mod resolve_field;
mod rule_cache;
mod rule_tests;
mod sql_rule;
mod sql_text;
mod threshold;

#[cfg(test)]
mod tests;

pub use compile_rule::compile_rule;
pub use compiled_rule::{CompiledRule, Exception, KeyField, RuleKind};
pub use error::RenderError;
pub use load_rules::{LoadedRules, load_rules};
pub use problem::{Problem, ProblemSeverity};
pub use query_bounds::QueryBounds;
pub use query_together::{MatchTogether, RulesTogether, put_together};
pub use render_title::{plain_title, render_title};
pub use rule_cache::CompiledRules;
pub use rule_tests::{ExpectedAlert, RuleTest};
pub use sql_rule::SqlRule;
pub use threshold::{Measure, Threshold};
