//! The one error of all ports: what was attempted, on what, and whether trying again can help.

use std::error::Error;
use std::fmt;

type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// Trying again may help: busy, throttled, a dropped connection, a full disk.
    Transient,
    /// Trying again as it is cannot help: denied, malformed, too large.
    Permanent,
}

#[derive(Debug)]
pub struct PortError {
    pub kind: PortErrorKind,
    /// What was attempted: `send to queue`.
    pub operation: &'static str,
    /// On what: the name of a queue, the id of an alert.
    pub subject: String,
    source: Source,
}

impl PortError {
    pub fn transient(operation: &'static str, subject: impl Into<String>, source: impl Into<Source>) -> Self {
        Self { kind: PortErrorKind::Transient, operation, subject: subject.into(), source: source.into() }
    }

    pub fn permanent(operation: &'static str, subject: impl Into<String>, source: impl Into<Source>) -> Self {
        Self { kind: PortErrorKind::Permanent, operation, subject: subject.into(), source: source.into() }
    }

    pub fn is_transient(&self) -> bool {
        self.kind == PortErrorKind::Transient
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`: {}", self.operation, self.subject, self.source)
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}
