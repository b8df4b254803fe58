//! What can be wrong with a query, and where.

use sqlparser::tokenizer::{Location, Span};
use std::fmt;

/// A place in the text of a query, counted from 1. Line 0 means that the place is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    pub line: u64,
    pub column: u64,
}

impl From<Location> for Position {
    fn from(location: Location) -> Self {
        Self { line: location.line, column: location.column }
    }
}

impl From<Span> for Position {
    fn from(span: Span) -> Self {
        span.start.into()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Text that is not one Trino query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    #[error("parse query: {message} at {at}")]
    Syntax { message: String, at: Position },
    #[error(
        "parse query: more than {max} operators, selects or joins in a row, at {at}; put groups of them in parentheses, or use `IN (…)`"
    )]
    LongChain { max: usize, at: Position },
    #[error("parse query: it is empty")]
    Empty,
    #[error("parse query: more than one statement, the second at {at}")]
    ManyStatements { at: Position },
    #[error("parse query: only SELECT and WITH ... SELECT are allowed, found {found} at {at}")]
    NotASelect { found: String, at: Position },
    #[error("parse query: {what} are not allowed, at {at}")]
    Disguise { what: &'static str, at: Position },
}

/// A query that parses and may not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("guard query: {n_bytes} bytes of SQL are more than the {max_bytes} allowed")]
    TooLong { n_bytes: usize, max_bytes: usize },
    #[error("guard query: more than {max} tables are read, the first beyond it at {at}")]
    TooManyTables { max: usize, at: Position },
    #[error("guard query: unknown table `{name}` at {at}{}", .nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownTable { name: String, nearest: Option<String>, at: Position },
    #[error("guard query: `{name}` at {at} names another database or schema; only the lake's own tables can be read")]
    OtherDatabase { name: String, at: Position },
    #[error("guard query: the WITH query `{name}` at {at} hides the table of that name")]
    ShadowedTable { name: String, at: Position },
    #[error("guard query: the WITH query `{name}` at {at} is defined twice")]
    DuplicateCte { name: String, at: Position },
    #[error("guard query: function `{name}` at {at} is not allowed")]
    Function { name: String, at: Position },
    #[error(
        "guard query: function `{name}` at {at} reads the clock, so the query would not give the same answer again"
    )]
    Clock { name: String, at: Position },
    #[error("guard query: {what} at {at} is not allowed")]
    Syntax { what: String, at: Position },
    #[error(
        "guard query: table `{table}` at {at} is read without a bound on its event date; add one on `year`, `month`, \
         `day` or on `event_time`"
    )]
    Unbounded { table: String, at: Position },
}

impl GuardError {
    /// Where in the text, so that an editor can underline it.
    pub fn position(&self) -> Option<Position> {
        let at = match self {
            Self::Sql(SqlError::Empty) | Self::TooLong { .. } => return None,
            Self::Sql(
                SqlError::Syntax { at, .. }
                | SqlError::ManyStatements { at }
                | SqlError::NotASelect { at, .. }
                | SqlError::LongChain { at, .. }
                | SqlError::Disguise { at, .. },
            )
            | Self::TooManyTables { at, .. }
            | Self::UnknownTable { at, .. }
            | Self::OtherDatabase { at, .. }
            | Self::ShadowedTable { at, .. }
            | Self::DuplicateCte { at, .. }
            | Self::Function { at, .. }
            | Self::Clock { at, .. }
            | Self::Syntax { at, .. }
            | Self::Unbounded { at, .. } => *at,
        };
        (at.line > 0).then_some(at)
    }
}
