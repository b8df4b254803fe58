//! Rule files that are wrong: each is named with file, line and column, and the command says so with its exit code.

use mantissa_tests::cloudtrail::{ActionRule, CREATE_USER, STOP_LOGGING};
use mantissa_tests::installation::Installation;

/// Lints one file of this text, beside a sound rule.
fn lint(text: &str) -> (Option<i32>, String) {
    let installation = Installation::new(&[STOP_LOGGING], &[]);
    installation.write("rules/wrong.yml", text);
    let ended = installation.run(&["rules", "lint", "rules"]);
    (ended.code, ended.stdout)
}

fn with(from: &str, to: &str) -> String {
    let yaml = CREATE_USER.yaml();
    assert!(yaml.contains(from), "{yaml}");
    yaml.replace(from, to)
}

#[test]
fn problems_of_a_rule_are_told_with_file_line_and_column() {
    for (text, place, message) in [
        (with("detection:", "detection: ["), "rules/wrong.yml:12:14: error: ", "not valid YAML"),
        (with("eventName:", "eventNam:"), "rules/wrong.yml:12:5: error: ", "did you mean `eventName`?"),
        (with("eventName:", "eventName|contians:"), "rules/wrong.yml:12:5: error: ", "unknown modifier `contians`"),
        (with("service: cloudtrail", "service: cloudtrial"), "rules/wrong.yml:8:3: error: ", "aws/cloudtrial"),
        (with("group_by:", "group_on:"), "rules/wrong.yml:16:3: error: ", "is not a key of the `mantissa` block"),
        (sql_rule("DELETE FROM cloudtrail_logs"), "rules/wrong.yml:", "only SELECT"),
        (sql_rule("SELECT 1; DROP TABLE cloudtrail_logs"), "rules/wrong.yml:", "mantissa.sql"),
    ] {
        let (code, stdout) = lint(&text);
        assert_eq!(code, Some(1), "{stdout}");
        let line = stdout.lines().find(|line| line.starts_with(place));
        let line = line.unwrap_or_else(|| panic!("no problem at {place}, but:\n{stdout}\nof:\n{text}"));
        assert!(line.contains(message), "expected `{message}`: {line}");
    }
}

fn sql_rule(sql: &str) -> String {
    let ActionRule { rule_id, .. } = CREATE_USER;
    format!(
        "title: By query
id: {rule_id}
status: stable
description: By query.
author: Mantissa Log
date: '2026-11-23'
logsource:
  product: aws
  service: cloudtrail
level: high
mantissa:
  sql: |
    {sql}
"
    )
}

#[test]
fn second_rule_with_the_same_id_names_the_first() {
    let (code, stdout) = lint(&STOP_LOGGING.yaml());
    assert_eq!(code, Some(1));
    assert!(stdout.contains("rules/wrong.yml:2:5: error: id: "), "{stdout}");
    assert!(stdout.contains("rules/StopLogging.yml"), "{stdout}");
}

#[test]
fn services_run_the_sound_rules_and_say_which_are_not() {
    let installation = Installation::new(&[STOP_LOGGING], &[]);
    installation.write("rules/wrong.yml", with("eventName:", "eventName|contians:"));
    let server = installation.start();
    let log = server.log();
    assert!(log.contains("rules/wrong.yml:12:5") && log.contains("1 rules in force"), "{log}");
    server.stop();
}

#[test]
fn services_without_a_sound_rule_do_not_start() {
    let installation = Installation::new(&[], &[]);
    installation.write("rules/wrong.yml", with("eventName:", "eventName|contians:"));
    let ended = installation.run(&["up"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("no rule of"), "{ended:?}");
}
