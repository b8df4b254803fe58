//! Conditions on an alert, as routes (and later silences) write them: `severity >= high`, `rule =~ "aws_.*"`.

use mantissa_contracts::messages::{AlertSnapshot, Severity};
use regex::Regex;
use std::fmt;

/// One condition. A field the alert does not have compares as the empty text.
#[derive(Debug, Clone)]
pub struct Matcher {
    field: Field,
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Severity,
    Rule,
    Tag,
    LogSource,
    /// A field of the alert key: `entity.userIdentity.arn`.
    Entity(String),
}

#[derive(Debug, Clone)]
enum Operator {
    Equal,
    NotEqual,
    AtLeast(Severity),
    Matches(Regex),
    MatchesNot(Regex),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    #[error("matcher `{text}` has no operator, use one of =, !=, =~, !~, >=")]
    NoOperator { text: String },
    #[error("matcher field `{field}` is unknown, use severity, rule, tag, log_source or entity.<field>")]
    UnknownField { field: String },
    #[error("severity `{value}` is unknown, use info, low, medium, high or critical")]
    UnknownSeverity { value: String },
    #[error("`>=` compares severities only, not `{field}`")]
    OrderOfText { field: String },
    #[error("pattern `{pattern}` is not a regular expression: {reason}")]
    BadPattern { pattern: String, reason: String },
}

impl Matcher {
    /// Reads `<field> <operator> <value>`; quotes around the value are optional.
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        let no_operator = || MatcherError::NoOperator { text: text.to_owned() };
        let at = text.find(['=', '!', '>']).ok_or_else(no_operator)?;
        let (field_text, rest) = text.split_at(at);
        let (symbol, value) = ["!=", "=~", "!~", ">=", "="]
            .into_iter()
            .find_map(|symbol| rest.strip_prefix(symbol).map(|value| (symbol, value)))
            .ok_or_else(no_operator)?;
        let value = value.trim().trim_matches('"').to_owned();
        let field = Self::parse_field(field_text.trim())?;
        let severity = || Severity::parse(&value).ok_or_else(|| MatcherError::UnknownSeverity { value: value.clone() });
        let operator = match (symbol, &field) {
            (">=", Field::Severity) => Operator::AtLeast(severity()?),
            (">=", _) => return Err(MatcherError::OrderOfText { field: field_text.trim().to_owned() }),
            ("=~", _) => Operator::Matches(Self::parse_pattern(&value)?),
            ("!~", _) => Operator::MatchesNot(Self::parse_pattern(&value)?),
            (symbol, Field::Severity) => {
                severity()?;
                if symbol == "=" { Operator::Equal } else { Operator::NotEqual }
            }
            ("=", _) => Operator::Equal,
            _ => Operator::NotEqual,
        };
        Ok(Self { field, operator, value })
    }

    fn parse_field(text: &str) -> Result<Field, MatcherError> {
        match text {
            "severity" => Ok(Field::Severity),
            "rule" => Ok(Field::Rule),
            "tag" => Ok(Field::Tag),
            "log_source" => Ok(Field::LogSource),
            _ => match text.strip_prefix("entity.") {
                Some(name) if !name.is_empty() => Ok(Field::Entity(name.to_owned())),
                _ => Err(MatcherError::UnknownField { field: text.to_owned() }),
            },
        }
    }

    /// Patterns match the whole value, as Prometheus's do.
    fn parse_pattern(pattern: &str) -> Result<Regex, MatcherError> {
        Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|e| MatcherError::BadPattern { pattern: pattern.to_owned(), reason: e.to_string() })
    }

    pub fn matches(&self, alert: &AlertSnapshot) -> bool {
        let values = self.values_of(alert);
        match &self.operator {
            Operator::Equal => values.iter().any(|value| *value == self.value),
            Operator::NotEqual => values.iter().all(|value| *value != self.value),
            Operator::AtLeast(least) => alert.severity >= *least,
            Operator::Matches(pattern) => values.iter().any(|value| pattern.is_match(value)),
            Operator::MatchesNot(pattern) => values.iter().all(|value| !pattern.is_match(value)),
        }
    }

    fn values_of<'a>(&self, alert: &'a AlertSnapshot) -> Vec<&'a str> {
        match &self.field {
            Field::Severity => vec![alert.severity.as_str()],
            Field::Rule => vec![alert.rule.rule_id.as_str()],
            Field::LogSource => vec![&alert.rule.log_source],
            Field::Tag if alert.rule.tags.is_empty() => vec![""],
            Field::Tag => alert.rule.tags.iter().map(String::as_str).collect(),
            Field::Entity(name) => {
                let part = alert.alert_key.iter().find(|part| part.field == *name);
                vec![part.and_then(|part| part.value.as_deref()).unwrap_or("")]
            }
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbol = match self.operator {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::AtLeast(_) => ">=",
            Operator::Matches(_) => "=~",
            Operator::MatchesNot(_) => "!~",
        };
        match &self.field {
            Field::Severity => write!(f, "severity {symbol} {}", self.value),
            Field::Rule => write!(f, "rule {symbol} {}", self.value),
            Field::Tag => write!(f, "tag {symbol} {}", self.value),
            Field::LogSource => write!(f, "log_source {symbol} {}", self.value),
            Field::Entity(name) => write!(f, "entity.{name} {symbol} {}", self.value),
        }
    }
}
