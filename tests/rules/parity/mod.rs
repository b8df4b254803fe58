//! Trino as the judge of our SQL: what the embedded engine answers, Trino answers too, over the same files.
//!
//! Skipped where no cluster is named; `make parity` starts one. The answers are kept in `results.md`; with MANTISSA_BLESS
//! set they are written anew.

mod report;
mod suites;

use mantissa_detection::compile_rule;
use mantissa_sql::{APPROXIMATION, DATE_OF_TRUNC, DIGITS_OF_CAST, DIGITS_OF_TIMESTAMP, OFFSET_OF_TIME, ROUNDING};
use mantissa_tests::trino::trino_cluster;
use report::{Comparison, KnownDifference, compare};
use std::path::PathBuf;
use std::process::Command;
use suites::SUITES;

/// Differences that stay. A SQL rule that may meet one says so where it is loaded (`sql/src/engine_differences.rs`).
const DIFFERENCES: &[KnownDifference] = &[
    literal("CAST(TIMESTAMP '2026-01-01 00:00:00' AS VARCHAR)"),
    literal("TIMESTAMP '2026-01-01 00:00:00'"),
    literal("date_add('month', -1, TIMESTAMP '2020-03-31 00:00:00')"),
    literal("date_add('second', 86, TIMESTAMP '2020-03-01 00:00:00')"),
    literal("date_trunc('hour', TIMESTAMP '2026-01-01 10:59:00')"),
    literal("to_iso8601(TIMESTAMP '2026-01-01 00:00:00')"),
    literal("typeof(TIMESTAMP '2026-01-01 00:00:00')"),
    KnownDifference { suite: "expressions", case: "date_trunc('week', DATE '2026-01-04')", cause: DATE_OF_TRUNC },
    KnownDifference {
        suite: "expressions",
        case: "CAST('2026-01-01 10:00:00.123456' AS TIMESTAMP(6))",
        cause: DIGITS_OF_CAST,
    },
    KnownDifference {
        suite: "expressions",
        case: "approx_percentile(n, 0.5E0), array_agg(s ORDER BY n) FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) AS t(n, s)",
        cause: APPROXIMATION,
    },
    KnownDifference {
        suite: "expressions",
        case: "corr(a, b) FROM (VALUES (1E0, 2E0), (2E0, 4E0), (3E0, 6E0)) AS t(a, b)",
        cause: ROUNDING,
    },
    KnownDifference {
        suite: "expressions",
        case: "from_iso8601_timestamp('2026-01-01T10:00:00+02:00')",
        cause: OFFSET_OF_TIME,
    },
];

const fn literal(case: &'static str) -> KnownDifference {
    KnownDifference { suite: "expressions", case, cause: DIGITS_OF_TIMESTAMP }
}

const HEAD: &str = "# Answers of the embedded engine and of Trino\n\n\
    Written by `make parity` (with MANTISSA_BLESS=1), which starts Trino 476 and asks both engines over the same Parquet\n\
    files; it fails where an answer differs, or is not what stands here. `suites.rs` says what each part asks.\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trino_answers_as_the_embedded_engine_does() {
    let Some(cluster) = trino_cluster() else { return };
    let (only, spoiled) = (environment("MANTISSA_PARITY_ONLY"), environment("MANTISSA_PARITY_SPOIL"));
    let mut comparisons = Vec::new();
    for suite in SUITES.iter().filter(|suite| only.as_ref().is_none_or(|only| only == suite.name)) {
        let Some((embedded, mut trino)) =
            (suite.ask)(&cluster).await.unwrap_or_else(|e| panic!("{}: {e:#}", suite.name))
        else {
            continue;
        };
        if let Some(answer) = spoiled.as_ref().and_then(|case| trino.get_mut(case)) {
            answer.push_str(" and one more");
        }
        comparisons.push(compare(suite.name, &embedded, &trino, DIFFERENCES));
    }
    println!("Trino beside the embedded engine");
    comparisons.iter().for_each(|comparison| println!("  {}", comparison.summary()));
    let wrong: Vec<&str> = comparisons.iter().flat_map(|comparison| &comparison.wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
    assert!(comparisons.iter().all(|comparison| comparison.n_cases() > 0) && !comparisons.is_empty());
    // A part is asked by a test that wants its answers only.
    if only.is_none() {
        check_document(&comparisons);
    }
}

/// Suites that were not asked, because their logs are not on this machine, stay as they are.
fn check_document(comparisons: &[Comparison]) {
    let path = document();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if environment("MANTISSA_BLESS").is_some() {
        let mut text = HEAD.to_owned();
        for suite in SUITES {
            let asked = comparisons.iter().find(|comparison| comparison.suite == suite.name).map(Comparison::section);
            let kept = || section_of(&committed, suite.name).map(str::to_owned);
            text.push_str(&asked.or_else(kept).map_or_else(String::new, |section| format!("\n{section}")));
        }
        std::fs::write(path, text).unwrap();
        return;
    }
    for comparison in comparisons {
        let kept = section_of(&committed, comparison.suite);
        assert!(
            kept == Some(comparison.section().as_str()),
            "{} does not have these answers of `{}`: run `MANTISSA_BLESS=1 make parity`, and read the diff",
            path.display(),
            comparison.suite,
        );
    }
}

/// From its heading to the next one's blank line.
fn section_of<'a>(document: &'a str, suite: &str) -> Option<&'a str> {
    let begins = document.find(&format!("## {suite}\n"))?;
    let section = &document[begins..];
    Some(section.find("\n\n## ").map_or(section, |ends| &section[..=ends]))
}

#[test]
fn rule_that_may_meet_a_difference_says_so_where_it_is_loaded() {
    for KnownDifference { case, cause, .. } in DIFFERENCES {
        let sql = format!("SELECT event_id, event_time, (SELECT {case}) AS x FROM cloudtrail_logs");
        let rule = format!(
            "title: A rule\nid: 6a3dbd42-5c5e-4c5f-8f0e-5d8f3c1f0a11\nlogsource: {{product: aws, service: cloudtrail}}\n\
             level: low\nmantissa:\n  sql: |\n    {sql}\n"
        );
        let rule = compile_rule("rule.yml", &rule).unwrap_or_else(|problems| panic!("{case}: {problems:?}"));
        let told: Vec<String> = rule.problems.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|problem| problem.contains(cause)), "{case} is not told of: {told:?}");
    }
}

#[test]
fn one_answer_turned_wrong_makes_parity_fail() {
    let Some(_cluster) = trino_cluster() else { return };
    // The program that `make parity` runs, with one of Trino's answers turned wrong.
    let run = |case: &str| {
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "parity::trino_answers_as_the_embedded_engine_does", "--nocapture"])
            .env("MANTISSA_PARITY_ONLY", "expressions")
            .env("MANTISSA_PARITY_SPOIL", case)
            .env_remove("MANTISSA_BLESS")
            .output()
            .unwrap();
        let told = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        (ended.status.success(), told)
    };
    let (passed, told) = run("no case of this name");
    assert!(passed, "{told}");
    let (passed, told) = run("if(1 > 2, 'a')");
    assert!(!passed && told.contains("1 differences") && told.contains("NULL and one more"), "{told}");
}

fn document() -> PathBuf {
    mantissa_tests::workspace_root().join("tests/rules/parity/results.md")
}

#[expect(clippy::disallowed_methods, reason = "blessing and spoiling are asked for in the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
