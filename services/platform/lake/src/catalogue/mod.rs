//! Every table and view of the lake, defined once.

mod application;
mod cloudtrail;
mod columns;
mod guardduty;
#[cfg(test)]
mod tests;
mod type_names;
mod views;
mod vpc_flow;

use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// The one catalogue.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue {
        tables: vec![cloudtrail::table(), vpc_flow::table(), guardduty::table(), application::table()],
        views: vec![views::normalized_auth_view(), views::normalized_network()],
    })
}

/// A SQL type, named as Trino names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    Varchar,
    /// `varchar` that holds JSON text: paths into it are read with `json_extract`.
    Json,
    Boolean,
    Integer,
    Bigint,
    Double,
    /// `timestamp(3)`, in UTC.
    Timestamp,
    Struct(Vec<Column>),
    Array(Box<ColumnType>),
}

/// A column, or a field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As SQL names it: `useridentity`.
    pub name: &'static str,
    /// As the log source and its Sigma rules name it: `userIdentity`. Compared case-sensitively first, then not.
    pub source_field: &'static str,
    pub data_type: ColumnType,
    pub doc: &'static str,
}

/// The log sources we read, as `object_received.source`, rules' `log_source` and `--source` name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogSource {
    CloudTrail,
    VpcFlow,
    GuardDuty,
    Application,
}

impl LogSource {
    pub const ALL: [Self; 4] = [Self::CloudTrail, Self::VpcFlow, Self::GuardDuty, Self::Application];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail",
            Self::VpcFlow => "vpc_flow",
            Self::GuardDuty => "guardduty",
            Self::Application => "application",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// A table. Each has, beside its own columns, the [`common columns`](common_columns) and the partition columns
/// `year`, `month`, `day` (varchar, zero-padded: '2026', '03', '09'), which are the event date.
#[derive(Debug, Clone)]
pub struct Table {
    /// `cloudtrail_logs`; also the first segment of its files' keys.
    pub name: &'static str,
    pub log_source: LogSource,
    /// Own columns first, then the common ones; without the partition columns.
    pub columns: Vec<Column>,
    pub doc: &'static str,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The top-level column a log source's field is in: by source name, then by column name, then without regard
    /// to case.
    pub fn column_of_field(&self, field: &str) -> Option<&Column> {
        find_by_field(&self.columns, field)
    }
}

impl Column {
    /// The field of a struct (or of an array's structs) that a log source's field is in.
    pub fn field(&self, field: &str) -> Option<&Column> {
        match &self.data_type {
            ColumnType::Struct(fields) => find_by_field(fields, field),
            ColumnType::Array(item) => match item.as_ref() {
                ColumnType::Struct(fields) => find_by_field(fields, field),
                _ => None,
            },
            _ => None,
        }
    }
}

fn find_by_field<'a>(columns: &'a [Column], field: &str) -> Option<&'a Column> {
    let exact = || columns.iter().find(|column| column.source_field == field);
    let by_name = || columns.iter().find(|column| column.name == field);
    let any_case = || columns.iter().find(|column| column.source_field.eq_ignore_ascii_case(field));
    exact().or_else(by_name).or_else(any_case)
}

/// Years that events in the lake are of; records of others are in the quarantine. Athena's partition projection counts them
/// through, so there are no more than may happen.
pub const EVENT_YEARS: RangeInclusive<i32> = 1970..=2099;

/// Partition columns of every table, outermost first.
pub const PARTITION_COLUMNS: [&str; 3] = ["year", "month", "day"];

/// Columns every table has: `event_id` varchar, `event_time` timestamp, `ingested_at` timestamp,
/// `source_object` varchar, `raw` json (the record as delivered; plain text where the source is text).
pub fn common_columns() -> Vec<Column> {
    let column = |name, data_type, doc| Column { name, source_field: name, data_type, doc };
    vec![
        column("event_id", ColumnType::Varchar, "identity of the event; the same record delivered twice has the same"),
        column("event_time", ColumnType::Timestamp, "when it happened, UTC"),
        column(
            "ingested_at",
            ColumnType::Timestamp,
            "when it became visible in the lake, UTC; windows are spans of it",
        ),
        column("source_object", ColumnType::Varchar, "the raw object it came from"),
        column("raw", ColumnType::Json, "the record as delivered"),
    ]
}

/// A view: a name and the Trino SELECT it stands for, over tables of the catalogue.
#[derive(Debug, Clone)]
pub struct View {
    pub name: &'static str,
    pub columns: Vec<Column>,
    pub sql: String,
    pub doc: &'static str,
}

#[derive(Debug, Clone)]
pub struct Catalogue {
    pub tables: Vec<Table>,
    pub views: Vec<View>,
}

impl Catalogue {
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    pub fn view(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| view.name.eq_ignore_ascii_case(name))
    }

    pub fn table_of(&self, log_source: LogSource) -> Option<&Table> {
        self.tables.iter().find(|table| table.log_source == log_source)
    }
}
