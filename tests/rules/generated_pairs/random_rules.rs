//! Rules of every modifier over the fields that generated events have.

use super::random_events::{JSON_FIELDS, KEYWORDS, MEMBER_FIELDS, STRUCT_FIELDS, TEXT_FIELDS, TEXTS};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

/// `field|modifiers: values`; keywords have no field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) field: Option<&'static str>,
    pub(crate) modifiers: Vec<&'static str>,
    pub(crate) values: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Selection(usize),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    OneOf,
    AllOf,
}

#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Each selection: maps linked with OR, items in them with AND.
    pub(crate) selections: Vec<Vec<Vec<Item>>>,
    pub(crate) condition: Condition,
}

impl Item {
    pub(crate) fn has(&self, modifier: &str) -> bool {
        self.modifiers.contains(&modifier)
    }

    fn key(&self) -> String {
        let mut key = self.field.unwrap_or_default().to_owned();
        for modifier in &self.modifiers {
            key.push('|');
            key.push_str(modifier);
        }
        key
    }

    fn value(&self) -> Value {
        match self.values.as_slice() {
            [only] => only.clone(),
            many => Value::Array(many.to_vec()),
        }
    }

    /// One comparison for each value: what `all` and lists link.
    pub(crate) fn atoms(&self) -> Vec<Self> {
        let modifiers: Vec<&str> = self.modifiers.iter().copied().filter(|modifier| *modifier != "all").collect();
        let atom =
            |value: &Value| Self { field: self.field, modifiers: modifiers.clone(), values: vec![value.clone()] };
        self.values.iter().map(atom).collect()
    }

    pub(crate) fn as_rule(&self) -> Rule {
        Rule { selections: vec![vec![vec![self.clone()]]], condition: Condition::Selection(0) }
    }
}

impl Rule {
    pub(crate) fn yaml(&self) -> String {
        let mut detection = Map::new();
        for (number, maps) in self.selections.iter().enumerate() {
            let maps: Vec<Value> = maps.iter().map(|items| selection_value(items)).collect();
            let value = if let [only] = maps.as_slice() { only.clone() } else { Value::Array(maps) };
            detection.insert(format!("s{number}"), value);
        }
        detection.insert("condition".to_owned(), json!(self.condition.text()));
        format!(
            "title: generated\nid: generated\nlevel: low\nlogsource: {{product: aws, service: cloudtrail}}\ndetection: {}\n",
            Value::Object(detection)
        )
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.selections.iter().flatten().flatten()
    }
}

/// JSON is YAML too. Keywords are a list, fields a map.
fn selection_value(items: &[Item]) -> Value {
    if let [Item { field: None, values, .. }] = items {
        return Value::Array(values.clone());
    }
    Value::Object(items.iter().map(|item| (item.key(), item.value())).collect())
}

impl Condition {
    fn text(&self) -> String {
        match self {
            Self::Selection(number) => format!("s{number}"),
            Self::And(left, right) => format!("({} and {})", left.text(), right.text()),
            Self::Or(left, right) => format!("({} or {})", left.text(), right.text()),
            Self::Not(inner) => format!("not {}", inner.text()),
            Self::OneOf => "1 of s*".to_owned(),
            Self::AllOf => "all of them".to_owned(),
        }
    }

    pub(crate) fn holds(&self, selections: &[bool]) -> bool {
        match self {
            Self::Selection(number) => selections[*number],
            Self::And(left, right) => left.holds(selections) && right.holds(selections),
            Self::Or(left, right) => left.holds(selections) || right.holds(selections),
            Self::Not(inner) => !inner.holds(selections),
            Self::OneOf => selections.contains(&true),
            Self::AllOf => !selections.contains(&false),
        }
    }
}

pub(crate) fn random_rule(random: &mut StdRng) -> Rule {
    let n_selections = random.random_range(1..=3);
    let selections: Vec<_> = (0..n_selections).map(|_| random_selection(random)).collect();
    let condition = random_condition(random, n_selections, 2);
    Rule { selections, condition }
}

fn random_condition(random: &mut StdRng, n_selections: usize, depth: u32) -> Condition {
    let leaf = |random: &mut StdRng| Condition::Selection(random.random_range(0..n_selections));
    if depth == 0 {
        return leaf(random);
    }
    let mut inner = || Box::new(random_condition(random, n_selections, depth - 1));
    let (left, right) = (inner(), inner());
    match random.random_range(0..8) {
        0 | 1 => Condition::And(left, right),
        2 | 3 => Condition::Or(left, right),
        4 => Condition::Not(left),
        5 => Condition::OneOf,
        6 => Condition::AllOf,
        _ => leaf(random),
    }
}

fn random_selection(random: &mut StdRng) -> Vec<Vec<Item>> {
    if random.random_bool(0.06) {
        let values = (0..random.random_range(1..3)).map(|_| json!(escaped(pick(random, KEYWORDS)))).collect();
        return vec![vec![Item { field: None, modifiers: Vec::new(), values }]];
    }
    let n_maps = if random.random_bool(0.2) { 2 } else { 1 };
    (0..n_maps)
        .map(|_| {
            let mut items: Vec<Item> = Vec::new();
            for _ in 0..random.random_range(1..=2) {
                let item = random_item(random);
                if items.iter().all(|other| other.key() != item.key()) {
                    items.push(item);
                }
            }
            items
        })
        .collect()
}

fn pick(random: &mut StdRng, from: &[&'static str]) -> &'static str {
    from.choose(random).copied().unwrap_or_default()
}

fn random_field(random: &mut StdRng) -> &'static str {
    let groups = [TEXT_FIELDS, STRUCT_FIELDS, JSON_FIELDS, JSON_FIELDS, MEMBER_FIELDS];
    let group = groups[random.random_range(0..groups.len())];
    pick(random, group)
}

fn random_item(random: &mut StdRng) -> Item {
    let field = random_field(random);
    let n_values = [1, 1, 1, 2, 3][random.random_range(0..5)];
    let texts = |random: &mut StdRng| -> Vec<Value> { (0..n_values).map(|_| json!(random_text(random))).collect() };
    let (mut modifiers, values): (Vec<&'static str>, Vec<Value>) = match random.random_range(0..22) {
        0..5 => (Vec::new(), texts(random)),
        5..10 => (vec![pick(random, &["contains", "startswith", "endswith"])], texts(random)),
        10 => (Vec::new(), (0..n_values).map(|_| random_scalar(random)).collect()),
        11 => (Vec::new(), (0..n_values).map(|n| if n == 0 { Value::Null } else { random_scalar(random) }).collect()),
        12 => (vec!["exists"], vec![json!(random.random_bool(0.5))]),
        13 | 14 => random_expression(random),
        15 => {
            let networks = ["10.0.0.0/8", "192.168.0.0/16", "10.0.0.1/32", "2001:db8::/32", "::/0", "0.0.0.0/0"];
            (vec!["cidr"], (0..n_values).map(|_| json!(pick(random, &networks))).collect())
        }
        16 | 17 => {
            let number = json!([0.0, 5.0, 2.5, -3.0, 10.0].choose(random));
            let whole = json!([0, 1, 5, -3, 10].choose(random));
            let value = if random.random_bool(0.5) { number } else { whole };
            (vec![pick(random, &["lt", "lte", "gt", "gte"])], vec![value])
        }
        18 => {
            let mut modifiers = vec!["fieldref"];
            if random.random_bool(0.5) {
                modifiers.push(pick(random, &["contains", "startswith", "endswith"]));
            }
            (modifiers, vec![json!(random_field(random))])
        }
        19 => {
            let ways: [&[&str]; 4] =
                [&["base64"], &["base64", "contains"], &["base64offset", "contains"], &["wide", "base64", "contains"]];
            (ways[random.random_range(0..ways.len())].to_vec(), vec![json!(pick(random, &["ab", "a", "x", "abc"]))])
        }
        20 => (vec!["windash", "contains"], vec![json!(pick(random, &["-f", " -f", "/f", "a-f", "x"]))]),
        _ => {
            let part = pick(random, &["minute", "hour", "day", "week", "month", "year"]);
            (vec![part], vec![json!([4, 3, 5, 1, 53, 2026, 23].choose(random))])
        }
    };
    let textual = values.iter().all(Value::is_string);
    let transformed = ["re", "cidr"].iter().any(|name| modifiers.contains(name));
    if textual && !transformed && random.random_bool(0.2) {
        modifiers.push("cased");
    }
    if values.len() > 1 && textual && random.random_bool(0.3) {
        modifiers.push("all");
    }
    if !modifiers.contains(&"exists") && random.random_bool(0.12) {
        modifiers.push("neq");
    }
    Item { field: Some(field), modifiers, values }
}

fn random_expression(random: &mut StdRng) -> (Vec<&'static str>, Vec<Value>) {
    let mut modifiers = vec!["re"];
    modifiers.extend([None, None, Some("i"), Some("m"), Some("s")][random.random_range(0..5)]);
    let expressions = [
        "^a",
        "b$",
        "a.b",
        "^.*$",
        "[0-9]+",
        "^$",
        r"\\",
        "(a|é)b?",
        "^[A-Z]+$",
        "'",
        "%",
        r"^\d+\.\d",
        "^b",
        "null|true",
    ];
    (modifiers, vec![json!(pick(random, &expressions))])
}

/// A text of an event, whole or in part, plain or with wildcards.
fn random_text(random: &mut StdRng) -> String {
    let text = pick(random, TEXTS);
    let characters: Vec<char> = text.chars().collect();
    match random.random_range(0..10) {
        0 => text.to_owned(),
        1 if !characters.is_empty() => {
            let at = random.random_range(0..characters.len());
            let part = |from: &[char]| escaped(&from.iter().collect::<String>());
            format!("{}?{}", part(&characters[..at]), part(&characters[at + 1..]))
        }
        2 if !characters.is_empty() => {
            let from = random.random_range(0..characters.len());
            let to = random.random_range(from..=characters.len());
            let part = |from: &[char]| escaped(&from.iter().collect::<String>());
            format!("{}*{}", part(&characters[..from]), part(&characters[to..]))
        }
        3 => escaped(&text.to_uppercase()),
        _ => escaped(text),
    }
}

fn random_scalar(random: &mut StdRng) -> Value {
    match random.random_range(0..4) {
        0 => json!(random.random_bool(0.5)),
        1 => json!([0, 1, 5, -3, 10].choose(random)),
        2 => json!([2.5, 5.0].choose(random)),
        _ => json!(random_text(random)),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if matches!(character, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
