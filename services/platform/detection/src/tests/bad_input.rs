use super::{problems, rule, show};
use crate::{ProblemSeverity, compile_rule, load_rules};
use std::fs;
use std::path::PathBuf;

/// The one problem of a document: where it is and what it says.
fn only(yaml: &str) -> (u32, u32, String) {
    let mut found = problems(yaml);
    found.retain(|problem| problem.severity != ProblemSeverity::Warning);
    assert_eq!(found.len(), 1, "{}", show(&found));
    (found[0].line, found[0].column, found[0].to_string())
}

#[test]
fn broken_yaml_names_its_place() {
    let (line, _, message) = only("title: a\nid: [b\nlevel: low\n");
    assert!(line >= 2, "{message}");
    assert!(message.contains("not valid YAML"), "{message}");
    assert!(only("- a\n- b\n").2.contains("a rule is a map"));
    assert!(only("# nothing\n").2.contains("holds no rule"));
    assert!(only("title: a\ntitle: b\n").2.contains("twice"));
}

#[test]
fn an_unknown_modifier_names_line_column_and_the_nearest() {
    let (line, column, message) = only(&rule("s:\n  eventName|contans: A\ncondition: s"));
    assert_eq!((line, column), (7, 5));
    assert!(message.starts_with("rule.yml:7:5: error: detection.s.eventName|contans: "), "{message}");
    assert!(message.contains("`contans`; did you mean `contains`?"), "{message}");
}

#[test]
fn an_unknown_field_is_an_error_with_its_place_and_the_rule_still_runs_on_the_record() {
    let compiled = compile_rule("rule.yml", &rule("s:\n  evntName: A\ncondition: s")).unwrap();
    assert!(compiled.is_degraded());
    let problem = &compiled.problems[0];
    assert_eq!((problem.line, problem.column, problem.severity), (7, 5, ProblemSeverity::Error));
    assert!(
        problem.message.contains("`cloudtrail_logs` has the field `evntName`; did you mean `eventName`?"),
        "{problem}"
    );
    assert!(compiled.predicate_sql().contains("json_extract_scalar(raw, '$.evntName')"));
}

#[test]
fn an_unknown_log_source_names_what_is_known() {
    let yaml = rule("s: {a: b}\ncondition: s").replace("service: cloudtrail", "service: cloudtrial");
    let (line, _, message) = only(&yaml);
    assert_eq!(line, 4);
    assert!(message.contains("`aws/cloudtrial`") && message.contains("did you mean `cloudtrail`"), "{message}");
}

#[test]
fn conditions_that_mean_nothing_are_errors() {
    let with = |condition: &str| only(&rule(&format!("sel: {{eventName: A}}\ncondition: {condition}"))).2;
    assert!(with("selection").contains("`selection`, which is no selection"));
    assert!(with("sel and").contains("cannot be read"));
    assert!(with("1 of filter_*").contains("`filter_*` names no selection"));
    assert!(only(&rule("sel: {eventName: A}")).2.contains("no condition"));
}

#[test]
fn values_that_a_modifier_cannot_take_are_errors() {
    for (item, expected) in [
        ("eventName|re: '('", "regular expression"),
        ("eventName|gt: abc", "expected a number"),
        ("sourceIPAddress|cidr: 300.0.0.0/8", "no network"),
        ("eventName|exists: maybe", "true or false"),
        ("eventName|contains: null", "null"),
        ("eventName|base64: 'a*b'", "wildcard"),
        ("eventName|contains|startswith: a", "contradict"),
        ("eventName|re|contains: a", "contradict"),
        ("eventName|i: a", "without `re`"),
        ("eventName|expand: '%vips%'", "`%vips%`"),
        ("eventName|utf16: a", "base64"),
        ("eventTime|hour: noon", "whole number"),
        ("eventName: []", "no value"),
        ("eventName: {a: b}", "a map"),
    ] {
        let message = only(&rule(&format!("s:\n  {item}\ncondition: s"))).2;
        assert!(message.contains(expected), "{item}: {message}");
    }
}

#[test]
fn what_is_not_built_yet_is_said_to_be_so() {
    let correlation = "title: c\nid: x\ncorrelation: {type: event_count}\n";
    let filter = "title: f\nid: x\nfilter: {rules: [a]}\n";
    let near = rule("a: {eventName: A}\nb: {eventName: B}\ncondition: a | near b");
    let two_of = rule("a: {eventName: A}\nb: {eventName: B}\ncondition: 2 of them");
    for yaml in [correlation, filter, &near, &two_of] {
        let found = problems(yaml);
        assert!(found.iter().any(|p| p.severity == ProblemSeverity::NotSupportedYet), "{}", show(&found));
        assert!(compile_rule("rule.yml", yaml).is_err());
    }
}

#[test]
fn every_problem_of_a_rule_is_reported_at_once() {
    let yaml = "title: a\nlevel: extreme\nlogsource: {product: aws, service: cloudtrail}\n\
                detection:\n  s: {eventName|foo: A}\n  condition: t\nmantissa: {evry: 5m}\n";
    let fields: Vec<String> = problems(yaml).into_iter().map(|problem| problem.field).collect();
    for expected in ["id", "level", "detection.s.eventName|foo", "detection.condition", "mantissa.evry"] {
        assert!(fields.iter().any(|field| field == expected), "{expected} in {fields:?}");
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mantissa-detection-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("inner")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_folder_gives_a_rule_or_a_problem_for_every_document() {
    let folder = Folder::new("folder");
    let good = rule("s: {eventName: A}\ncondition: s");
    fs::write(folder.0.join("a.yml"), &good).unwrap();
    fs::write(folder.0.join("inner/b.yaml"), good.replace("11111111", "22222222")).unwrap();
    fs::write(folder.0.join("c.yml"), "# only a comment\n").unwrap();
    fs::write(folder.0.join("d.yml"), [0xff, 0xfe, 0x00]).unwrap();
    fs::write(folder.0.join("e.yml"), format!("{good}---\ntitle: second\n")).unwrap();
    fs::write(folder.0.join("notes.txt"), "not a rule").unwrap();
    let loaded = load_rules(&[folder.0.clone(), folder.0.join("missing.yml")]);
    assert_eq!(loaded.rules.len(), 2);
    let text = show(&loaded.problems);
    for expected in ["c.yml:1:1: error: holds no rule", "not UTF-8", "missing.yml:1:1: error: cannot be read"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    // The second document's own lines are counted from the start of the file.
    let second = good.lines().count() as u32 + 2;
    assert!(text.contains(&format!("e.yml:{second}:1: error: id: is missing")), "{text}");
    // The same id again names both files.
    let duplicate = loaded.problems.iter().find(|problem| problem.message.contains("is the id of a rule in")).unwrap();
    assert!(duplicate.path.ends_with("e.yml") && duplicate.message.contains("a.yml"), "{duplicate}");
    assert_eq!(duplicate.line, 2);
    assert!(loaded.problems.is_sorted());
}

#[test]
fn a_folder_without_rules_is_a_problem() {
    let folder = Folder::new("empty");
    assert!(load_rules(std::slice::from_ref(&folder.0)).has_errors());
}
