//! A field as rules name it → where its value is in a table of the lake.
//!
//! Invariant: a field is never resolved to nothing. One that no column has is read from the record as delivered, and
//! the caller reports it.

use crate::nearest_name::suggestion;
use crate::sql_text::{identifier, json_path, json_path_of_first};
use mantissa_lake::catalogue::{Column, ColumnType, LogSource, Table};

/// Where a field's value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// One value in a column, or in a field of a struct.
    Scalar { sql: String, kind: ScalarKind },
    /// Inside JSON text; no keys is the whole of it.
    Json { sql: String, keys: Vec<String> },
    /// A field of the members of an array, read from the record: not every engine reads a struct's field in a lambda.
    Members { array: Vec<String>, field: Vec<String> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    Text,
    Boolean,
    Integer,
    Double,
    Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) place: Place,
    /// Set when no column has the field: what to tell the author.
    pub(crate) unknown: Option<String>,
}

pub(crate) fn resolve_field(table: &Table, field: &str) -> Resolved {
    let segments: Vec<String> = field.split('.').map(str::to_owned).collect();
    if let Some(place) = known_place(table, &segments) {
        return Resolved { place, unknown: None };
    }
    if table.log_source == LogSource::Application
        && let Some(column) = table.column("fields")
    {
        // A line of JSON has whatever fields its program writes.
        return Resolved { place: Place::Json { sql: identifier(column.name), keys: segments }, unknown: None };
    }
    let names = field_names(table);
    let hint = suggestion(field, names.iter().map(String::as_str));
    let message = format!(
        "no column of `{}` has the field `{field}`{hint} (it is looked for in the record as delivered)",
        table.name
    );
    Resolved { place: Place::Json { sql: "raw".to_owned(), keys: segments }, unknown: Some(message) }
}

impl Place {
    /// The value as text, for alert keys and titles: null when it is missing.
    pub(crate) fn text_sql(&self) -> String {
        match self {
            Self::Scalar { sql, kind } => kind.text_sql(sql),
            Self::Json { sql, keys } => {
                let path = json_path(keys);
                format!(
                    "COALESCE(json_extract_scalar({sql}, {path}), NULLIF(json_format(json_extract({sql}, {path})), 'null'))"
                )
            }
            // The first member stands for all: a key has one value.
            Self::Members { array, field } => {
                let first = json_path_of_first(array, field);
                format!(
                    "COALESCE(json_extract_scalar(raw, {first}), NULLIF(json_format(json_extract(raw, {first})), 'null'))"
                )
            }
        }
    }
}

impl ScalarKind {
    pub(crate) fn text_sql(self, sql: &str) -> String {
        match self {
            Self::Text => sql.to_owned(),
            Self::Boolean | Self::Integer | Self::Timestamp => format!("CAST({sql} AS VARCHAR)"),
            // As JSON writes it: a cast to varchar gives `8.0E0`.
            Self::Double => format!("json_format(CAST({sql} AS JSON))"),
        }
    }

    /// Whether the text of such a value has letters in more than one case.
    pub(crate) fn has_case(self) -> bool {
        self == Self::Text
    }
}

fn known_place(table: &Table, segments: &[String]) -> Option<Place> {
    let (first, rest) = segments.split_first()?;
    if first == "raw" && rest.is_empty() {
        return Some(Place::Scalar { sql: "raw".to_owned(), kind: ScalarKind::Text });
    }
    let column = table.column_of_field(first).or_else(|| table.column(first));
    match column {
        Some(column) => place_in(column, identifier(column.name), &[column.source_field], rest),
        None if rest.is_empty() && matches!(first.as_str(), "year" | "month" | "day") => {
            Some(Place::Scalar { sql: first.clone(), kind: ScalarKind::Text })
        }
        None => None,
    }
}

fn place_in(column: &Column, sql: String, trail: &[&str], rest: &[String]) -> Option<Place> {
    let Some((next, after)) = rest.split_first() else {
        return Some(match &column.data_type {
            ColumnType::Json => Place::Json { sql, keys: Vec::new() },
            // An object compares as the JSON text the source wrote, which only the record still has.
            ColumnType::Struct(_) | ColumnType::Array(_) => Place::Json { sql: "raw".to_owned(), keys: owned(trail) },
            scalar => Place::Scalar { sql, kind: scalar_kind(scalar)? },
        });
    };
    match &column.data_type {
        ColumnType::Json => Some(Place::Json { sql, keys: rest.to_vec() }),
        ColumnType::Struct(_) => {
            let member = column.field(next)?;
            let mut longer = trail.to_vec();
            longer.push(member.source_field);
            place_in(member, format!("{sql}.{}", identifier(member.name)), &longer, after)
        }
        ColumnType::Array(_) => {
            let member = column.field(next)?;
            let field = std::iter::once(member.source_field.to_owned()).chain(after.iter().cloned()).collect();
            Some(Place::Members { array: owned(trail), field })
        }
        _ => None,
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

fn scalar_kind(data_type: &ColumnType) -> Option<ScalarKind> {
    match data_type {
        ColumnType::Varchar => Some(ScalarKind::Text),
        ColumnType::Boolean => Some(ScalarKind::Boolean),
        ColumnType::Integer | ColumnType::Bigint => Some(ScalarKind::Integer),
        ColumnType::Double => Some(ScalarKind::Double),
        ColumnType::Timestamp => Some(ScalarKind::Timestamp),
        ColumnType::Json | ColumnType::Struct(_) | ColumnType::Array(_) => None,
    }
}

/// Every field of the table as rules name it.
fn field_names(table: &Table) -> Vec<String> {
    fn add(names: &mut Vec<String>, prefix: &str, columns: &[Column]) {
        for column in columns {
            let name = format!("{prefix}{}", column.source_field);
            match &column.data_type {
                ColumnType::Struct(fields) => add(names, &format!("{name}."), fields),
                ColumnType::Array(item) => {
                    if let ColumnType::Struct(fields) = item.as_ref() {
                        add(names, &format!("{name}."), fields);
                    }
                }
                _ => {}
            }
            names.push(name);
        }
    }
    let mut names = Vec::new();
    add(&mut names, "", &table.columns);
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantissa_lake::catalogue::catalogue;

    fn table(name: &str) -> &'static Table {
        catalogue().table(name).unwrap()
    }

    fn place(table_name: &str, field: &str) -> Place {
        let resolved = resolve_field(table(table_name), field);
        assert_eq!(resolved.unknown, None, "{field}");
        resolved.place
    }

    #[test]
    fn fields_of_structs_become_fields_of_columns() {
        let place = place("cloudtrail_logs", "userIdentity.sessionContext.sessionIssuer.userName");
        let sql = "useridentity.sessioncontext.sessionissuer.username".to_owned();
        assert_eq!(place, Place::Scalar { sql, kind: ScalarKind::Text });
    }

    #[test]
    fn fields_below_json_columns_become_paths() {
        let place = place("cloudtrail_logs", "requestParameters.ipPermissions.items");
        let keys = vec!["ipPermissions".to_owned(), "items".to_owned()];
        assert_eq!(place, Place::Json { sql: "requestparameters".to_owned(), keys });
    }

    #[test]
    fn an_object_is_read_from_the_record_under_the_names_the_source_gave_it() {
        let keys = vec!["userIdentity".to_owned(), "sessionContext".to_owned()];
        let expected = Place::Json { sql: "raw".to_owned(), keys };
        assert_eq!(place("cloudtrail_logs", "userIdentity.sessioncontext"), expected);
    }

    #[test]
    fn a_field_of_an_array_of_structs_is_a_field_of_its_members_under_its_own_name() {
        let expected = Place::Members { array: vec!["resources".to_owned()], field: vec!["ARN".to_owned()] };
        assert_eq!(place("cloudtrail_logs", "resources.ARN"), expected);
        assert_eq!(place("cloudtrail_logs", "resources.arn"), expected);
        assert!(expected.text_sql().contains("json_extract_scalar(raw, '$.resources[0].ARN')"));
    }

    #[test]
    fn both_spellings_of_a_flow_field_resolve_and_reserved_names_are_quoted() {
        assert_eq!(place("vpc_flow_logs", "log-status"), place("vpc_flow_logs", "log_status"));
        let expected = Place::Scalar { sql: "\"end\"".to_owned(), kind: ScalarKind::Integer };
        assert_eq!(place("vpc_flow_logs", "end"), expected);
    }

    #[test]
    fn an_unknown_field_is_named_with_its_nearest_and_read_from_the_record() {
        let resolved = resolve_field(table("cloudtrail_logs"), "userIdentity.usrName");
        assert_eq!(
            resolved.place,
            Place::Json { sql: "raw".to_owned(), keys: vec!["userIdentity".to_owned(), "usrName".to_owned()] }
        );
        let message = resolved.unknown.unwrap();
        assert!(message.contains("`userIdentity.usrName`") && message.contains("cloudtrail_logs"), "{message}");
        assert!(message.contains("did you mean `userIdentity.userName`"), "{message}");
    }

    #[test]
    fn fields_of_json_lines_are_read_from_fields() {
        let expected = Place::Json { sql: "fields".to_owned(), keys: vec!["user".to_owned(), "id".to_owned()] };
        assert_eq!(place("application_logs", "user.id"), expected);
        let below_text = Place::Json { sql: "fields".to_owned(), keys: vec!["host".to_owned(), "name".to_owned()] };
        assert_eq!(place("application_logs", "host.name"), below_text);
    }
}
