//! A rule's detection, typed: what is compared with what, before any SQL.
//!
//! Invariant: modifiers are gone. What they did to values and comparisons is spelled out in [`Test`].

use crate::read_yaml::Position;
use ipnet::IpNet;

#[derive(Debug, Clone)]
pub(crate) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Leaf(Leaf),
}

/// One field compared with some values: true when any test holds.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) subject: Subject,
    pub(crate) tests: Vec<Test>,
    pub(crate) at: Position,
    /// Where in the document, for problems.
    pub(crate) field: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Field(String),
    /// Keywords: the record as delivered.
    Record,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Text {
        pattern: Pattern,
        cased: bool,
    },
    Regex(String),
    /// Missing, or JSON null.
    Null,
    Exists(bool),
    Compare {
        operator: Operator,
        number: Number,
    },
    Cidr(IpNet),
    DatePart {
        part: DatePart,
        number: i64,
    },
    SameAs {
        other: String,
        relation: Relation,
        cased: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePart {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl DatePart {
    /// The Trino function that takes the part.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pattern {
    pub(crate) parts: Vec<PatternPart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatternPart {
    Text(String),
    /// `*`: any characters, none included.
    Any,
    /// `?`: one character.
    One,
}

impl Pattern {
    pub(crate) fn exactly(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { parts: if text.is_empty() { Vec::new() } else { vec![PatternPart::Text(text)] } }
    }

    /// The text, where there is no wildcard.
    pub(crate) fn exact_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [PatternPart::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(crate) fn with_any_before(mut self) -> Self {
        if self.parts.first() != Some(&PatternPart::Any) {
            self.parts.insert(0, PatternPart::Any);
        }
        self
    }

    pub(crate) fn with_any_after(mut self) -> Self {
        if self.parts.last() != Some(&PatternPart::Any) {
            self.parts.push(PatternPart::Any);
        }
        self
    }

    /// Whether the pattern can match a text that begins with `{` and ends with `}`: the JSON text of an object.
    pub(crate) fn may_match_object(&self) -> bool {
        let opens = match self.parts.first() {
            Some(PatternPart::Text(text)) => text.starts_with('{'),
            Some(_) => true,
            None => false,
        };
        let closes = match self.parts.last() {
            Some(PatternPart::Text(text)) => text.ends_with('}'),
            Some(_) => true,
            None => false,
        };
        opens && closes
    }

    /// Applies `change` to the literal parts.
    pub(crate) fn map_text(&self, change: impl Fn(&str) -> String) -> Self {
        let parts = self.parts.iter().map(|part| match part {
            PatternPart::Text(text) => PatternPart::Text(change(text)),
            other => other.clone(),
        });
        Self { parts: parts.collect() }
    }
}
