//! What is wrong with a rule, and where.

use crate::read_yaml::Position;
use serde::Serialize;
use std::fmt;

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemSeverity {
    /// The rule does not run, or runs degraded.
    Error,
    /// The rule is sound, and asks for something this build does not do.
    NotSupportedYet,
    /// The rule runs as written; its author should look again.
    Warning,
}

impl fmt::Display for ProblemSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::NotSupportedYet => "not supported yet",
            Self::Warning => "warning",
        })
    }
}

/// One problem, ordered by where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Problem {
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// Where in the document: `detection.selection.eventName|contains`.
    pub field: String,
    pub severity: ProblemSeverity,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}: ", self.path, self.line, self.column, self.severity)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// The problems of one document, as they are found.
#[derive(Debug)]
pub(crate) struct Problems {
    path: String,
    /// Lines of the file before the document.
    line_offset: u32,
    list: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(path: &str, line_offset: u32) -> Self {
        Self { path: path.to_owned(), line_offset, list: Vec::new() }
    }

    pub(crate) fn error(&mut self, at: Position, field: &str, message: impl Into<String>) {
        self.add(ProblemSeverity::Error, at, field, message.into());
    }

    pub(crate) fn not_supported_yet(&mut self, at: Position, field: &str, message: impl Into<String>) {
        self.add(ProblemSeverity::NotSupportedYet, at, field, message.into());
    }

    pub(crate) fn warning(&mut self, at: Position, field: &str, message: impl Into<String>) {
        self.add(ProblemSeverity::Warning, at, field, message.into());
    }

    fn add(&mut self, severity: ProblemSeverity, at: Position, field: &str, message: String) {
        self.list.push(Problem {
            path: self.path.clone(),
            line: self.line_in_file(at),
            column: at.column,
            field: field.to_owned(),
            severity,
            message,
        });
    }

    /// The line of the file that a place in the document is on.
    pub(crate) fn line_in_file(&self, at: Position) -> u32 {
        at.line.saturating_add(self.line_offset)
    }

    /// How many problems keep the rule from running; compare before and after a step.
    pub(crate) fn n_blocking(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity != ProblemSeverity::Warning).count()
    }

    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.list.sort();
        self.list.dedup();
        self.list
    }
}
