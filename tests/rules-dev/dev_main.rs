//! What rules mean: against truths that others computed, against labels that others gave, against the specification
//! case by case, and against another implementation on generated rules and events.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what helpers of tests meet unexpectedly is a failed test, and what a test found is printed"
)]

#[path = "../rules/all_log_files.rs"]
mod all_log_files;
#[path = "../rules/generated_pairs/mod.rs"]
mod generated_pairs;
#[path = "../rules/judge_events.rs"]
mod judge_events;
#[path = "judge_by_process.rs"]
mod judge_with_rsigma;
#[path = "../rules/our_rules.rs"]
mod our_rules;
#[path = "../rules/run_mantissa.rs"]
mod run_mantissa;
#[path = "../rules/semantics_corpus.rs"]
mod semantics_corpus;
#[path = "../rules/sigma_truth.rs"]
mod sigma_truth;
#[path = "../rules/streamalert_labels.rs"]
mod streamalert_labels;
