//! What rules mean: against truths that others computed, against labels that others gave, against the specification
//! case by case, against another implementation on generated rules and events, and on Trino.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what helpers of tests meet unexpectedly is a failed test, and what a test found is printed"
)]

mod all_log_files;
mod generated_pairs;
mod judge_events;
mod judge_with_rsigma;
mod our_rules;
mod parity;
mod run_mantissa;
mod semantics_corpus;
mod sigma_truth;
mod streamalert_labels;
