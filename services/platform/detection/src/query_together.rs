//! Many event rules in one query: what they read is read once, instead of once a rule.
//!
//! For judging a whole lake at a time. On schedule each rule has a query of its own, so that one that fails or costs much
//! fails and costs by itself.

use crate::compiled_rule::{CompiledRule, RuleKind};
use crate::query_bounds::QueryBounds;
use crate::sql_text::any_of;
use std::collections::BTreeMap;

/// A query grows with its rules, and the guard takes no more than 240,000 bytes.
const MAX_SQL_BYTES: usize = 100_000;

/// Event rules over one table.
#[derive(Debug)]
pub struct RulesTogether<'r> {
    table: &'static str,
    rules: Vec<&'r CompiledRule>,
    /// SQL of the key fields of all of them, each once.
    keys: Vec<&'r str>,
}

/// What one row says of one rule.
#[derive(Debug, PartialEq, Eq)]
pub struct MatchTogether<'a> {
    /// Place of the rule in [`RulesTogether::rules`].
    pub rule: usize,
    pub event_id: Option<&'a str>,
    pub key: Vec<Option<&'a str>>,
}

/// Puts event rules of one table together; the second list has the rules that need a query of their own.
pub fn put_together<'r>(rules: &[&'r CompiledRule]) -> (Vec<RulesTogether<'r>>, Vec<&'r CompiledRule>) {
    let (events, alone): (Vec<&CompiledRule>, Vec<_>) =
        rules.iter().partition(|rule| matches!(rule.kind, RuleKind::Event));
    let mut by_table: BTreeMap<&'static str, Vec<&'r CompiledRule>> = BTreeMap::new();
    for rule in events {
        by_table.entry(rule.table).or_default().push(rule);
    }
    let mut together = Vec::new();
    for (table, rules) in by_table {
        let mut taken = Vec::new();
        let mut n_bytes = 0;
        for rule in rules {
            let size = size_of_rule(rule);
            if n_bytes + size > MAX_SQL_BYTES && !taken.is_empty() {
                together.push(RulesTogether::new(table, std::mem::take(&mut taken)));
                n_bytes = 0;
            }
            n_bytes += size;
            taken.push(rule);
        }
        together.push(RulesTogether::new(table, taken));
    }
    (together, alone)
}

fn size_of_rule(rule: &CompiledRule) -> usize {
    rule.predicate_sql().len() + rule.key_fields.iter().map(|field| field.sql.len()).sum::<usize>()
}

impl<'r> RulesTogether<'r> {
    fn new(table: &'static str, rules: Vec<&'r CompiledRule>) -> Self {
        let mut keys: Vec<&str> = rules.iter().flat_map(|rule| key_sql(rule)).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { table, rules, keys }
    }

    pub fn rules(&self) -> &[&'r CompiledRule] {
        &self.rules
    }

    /// One row for each event that at least one of the rules matches: its id, whether each rule matches it, the keys.
    pub fn query(&self, bounds: &QueryBounds) -> String {
        let flags: Vec<String> = (0..self.rules.len()).map(|number| format!("m{number}")).collect();
        let judged: String =
            self.rules.iter().zip(&flags).map(|(rule, flag)| format!(", {} AS {flag}", rule.predicate_sql())).collect();
        let keys: String = self.keys.iter().enumerate().map(|(number, sql)| format!(", {sql} AS k{number}")).collect();
        let terms = bounds.terms();
        let bounded = if terms.is_empty() { String::new() } else { format!(" WHERE {}", terms.join(" AND ")) };
        format!(
            "SELECT * FROM (SELECT event_id{judged}{keys} FROM {}{bounded}) AS judged WHERE {}",
            self.table,
            any_of(&flags)
        )
    }

    /// What a row of [`Self::query`] says, of every rule that matches it.
    pub fn read<'a>(&'a self, row: &'a [Option<String>]) -> impl Iterator<Item = MatchTogether<'a>> {
        let text = |index: usize| row.get(index).and_then(Option::as_deref);
        let n_rules = self.rules.len();
        self.rules.iter().enumerate().filter(move |(number, _)| text(1 + number) == Some("true")).map(
            move |(number, rule)| {
                let key = key_sql(rule).map(|sql| {
                    let place = self.keys.binary_search(&sql).ok()?;
                    text(1 + n_rules + place)
                });
                MatchTogether { rule: number, event_id: text(0), key: key.collect() }
            },
        )
    }
}

/// A key field without SQL is the number of events, which is one in every match of an event rule.
fn key_sql(rule: &CompiledRule) -> impl Iterator<Item = &str> {
    rule.key_fields.iter().map(|field| if field.sql.is_empty() { "'1'" } else { field.sql.as_str() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile_rule::compile_rule;

    fn rule(number: u32, log_source: &str, detection: &str, block: &str) -> CompiledRule {
        let yaml = format!(
            "title: r{number}\nid: 00000000-0000-4000-8000-00000000000{number}\nstatus: test\n\
             logsource: {log_source}\ndetection: {{s: {{{detection}}}, condition: s}}\nlevel: low\n\
             mantissa: {{group_by: [{block}]}}\n"
        );
        compile_rule("r.yml", &yaml).unwrap()
    }

    fn cloudtrail(number: u32, action: &str, block: &str) -> CompiledRule {
        rule(number, "{product: aws, service: cloudtrail}", &format!("eventName: {action}"), block)
    }

    #[test]
    fn row_says_which_rules_match_and_with_which_key() {
        let rules = [
            cloudtrail(1, "A", "userIdentity.arn"),
            cloudtrail(2, "B", "sourceIPAddress, userIdentity.arn"),
            cloudtrail(3, "C", ""),
        ];
        let (together, alone) = put_together(&rules.iter().collect::<Vec<_>>());
        assert!(alone.is_empty());
        let [group] = together.as_slice() else { panic!("{together:?}") };
        // Columns: the id, three rules, two keys in the order of their SQL.
        let text = |text: &str| Some(text.to_owned());
        let (address, arn) = (text("192.0.2.1"), text("arn"));
        let keys = match group.keys[0].contains("source") {
            true => [address, arn],
            false => [arn, address],
        };
        let mut row = vec![text("event"), text("true"), text("true"), None];
        row.extend(keys);
        let read: Vec<_> = group.read(&row).collect();
        assert_eq!(
            read,
            [
                MatchTogether { rule: 0, event_id: Some("event"), key: vec![Some("arn")] },
                MatchTogether { rule: 1, event_id: Some("event"), key: vec![Some("192.0.2.1"), Some("arn")] },
            ]
        );
    }

    #[test]
    fn tables_are_read_apart_and_what_counts_is_judged_alone() {
        let flow = rule(4, "{product: aws, service: vpcflow}", "dstport: 22", "srcaddr");
        let counting = compile_rule(
            "r.yml",
            "title: c\nid: 00000000-0000-4000-8000-000000000009\nstatus: test\nlogsource: {product: aws, service: cloudtrail}\n\
             detection: {s: {eventName: A}, condition: s}\nlevel: low\n\
             mantissa: {threshold: {count: 3, within: 5m}}\n",
        );
        let counting = counting.unwrap_or_else(|problems| panic!("{problems:?}"));
        let event = cloudtrail(1, "A", "");
        let (together, alone) = put_together(&[&event, &flow, &counting]);
        assert_eq!(together.iter().map(|group| group.table).collect::<Vec<_>>(), ["cloudtrail_logs", "vpc_flow_logs"]);
        assert_eq!(alone.iter().map(|rule| rule.rule.title.as_str()).collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn queries_stay_below_what_the_guard_takes() {
        let long = format!("[{}]", (0..2000).map(|number| format!("Action{number}")).collect::<Vec<_>>().join(", "));
        let rules: Vec<CompiledRule> = (1..=8).map(|number| cloudtrail(number, &long, "userIdentity.arn")).collect();
        let (together, _) = put_together(&rules.iter().collect::<Vec<_>>());
        assert!(together.len() > 1);
        assert_eq!(together.iter().map(|group| group.rules().len()).sum::<usize>(), rules.len());
        let longest = together.iter().map(|group| group.query(&QueryBounds::unbounded()).len()).max().unwrap();
        assert!(longest < 200_000, "{longest}");
    }
}
