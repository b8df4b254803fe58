use super::{compile, rule, show};
use crate::{compile_rule, plain_title, render_title};

fn titled(template: &str) -> String {
    format!("{}mantissa:\n  title: '{template}'\n", rule("s: {eventName: A}\ncondition: s"))
}

fn render(template: &str, fields: &[(&str, Option<&str>)]) -> String {
    let fields: Vec<(&str, Option<String>)> =
        fields.iter().map(|(name, value)| (*name, value.map(str::to_owned))).collect();
    render_title(&compile(&titled(template)), &fields).unwrap()
}

#[test]
fn dotted_fields_are_filled_in_and_missing_ones_are_unknown() {
    let template = "Login of {{ userIdentity.userName }} from {{ sourceIPAddress }}";
    let rule = compile(&titled(template));
    let names: Vec<&str> = rule.title_fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(names, ["sourceIPAddress", "userIdentity.userName"]);
    assert_eq!(
        render(template, &[("userIdentity.userName", Some("ana")), ("sourceIPAddress", None)]),
        "Login of ana from unknown"
    );
    assert_eq!(render(template, &[]), "Login of unknown from unknown");
}

#[test]
fn a_value_is_never_read_as_a_template() {
    assert_eq!(render("by {{ userAgent }}", &[("userAgent", Some("{{ 7 * 7 }}{% raw %}"))]), "by {{ 7 * 7 }}{% raw %}");
}

#[test]
fn what_hides_or_reorders_text_is_dropped_and_long_titles_are_cut() {
    assert_eq!(render("by {{ userAgent }}", &[("userAgent", Some("a\r\nb\u{0}\u{202e}c\u{200b}d\t e"))]), "by a bcd e");
    let long = render("by {{ userAgent }}", &[("userAgent", Some(&"é".repeat(1000)))]);
    assert_eq!(long.chars().count(), 300);
    assert!(long.ends_with('…'));
}

#[test]
fn a_template_that_runs_for_ever_is_an_error_and_the_plain_title_remains() {
    let rule = compile(&titled("{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}"));
    let fields: [(&str, Option<String>); 0] = [];
    assert!(render_title(&rule, &fields).is_err());
    assert_eq!(plain_title(&rule), "A rule");
}

#[test]
fn a_rule_without_a_template_has_its_own_title() {
    let rule = compile(&rule("s: {eventName: A}\ncondition: s"));
    let fields: [(&str, Option<String>); 0] = [];
    assert_eq!(render_title(&rule, &fields).unwrap(), "A rule");
}

#[test]
fn a_template_that_cannot_be_read_is_a_problem_with_its_place() {
    let problems = compile_rule("rule.yml", &titled("from {{ userAgent")).unwrap_err();
    assert!(show(&problems).contains("rule.yml:9:10: error: mantissa.title: is no template"), "{}", show(&problems));
    let both = compile_rule("rule.yml", &titled("{{ userIdentity }} {{ userIdentity.arn }}")).unwrap_err();
    assert!(show(&both).contains("inside it"), "{}", show(&both));
}
