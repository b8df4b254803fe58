//! The lake's catalogue as Trino's statements.

use mantissa_lake::catalogue::{Column, EVENT_YEARS, PARTITION_COLUMNS, Table, View};

pub(crate) fn create_schema(schema: &str) -> String {
    format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema))
}

/// The table's files are in the folder of its name under `location`, a folder a day: which days there are follows from
/// projection, as on Athena, so that a new one is seen as soon as it has a file.
pub(crate) fn create_table(table: &Table, location: &str) -> String {
    let columns = table.columns.iter().map(declared).chain(PARTITION_COLUMNS.iter().map(|name| {
        let (digits, from, to) = match *name {
            "year" => (4, *EVENT_YEARS.start(), *EVENT_YEARS.end()),
            "month" => (2, 1, 12),
            _ => (2, 1, 31),
        };
        format!(
            "{} varchar WITH (partition_projection_type = 'INTEGER', partition_projection_digits = {digits}, \
             partition_projection_range = ARRAY['{from}', '{to}'])",
            quoted(name)
        )
    }));
    let partitions: Vec<String> = PARTITION_COLUMNS.iter().map(|name| format!("'{name}'")).collect();
    format!(
        "CREATE TABLE {} ({}) WITH (format = 'PARQUET', external_location = '{}', partitioned_by = ARRAY[{}], \
         partition_projection_enabled = true)",
        quoted(table.name),
        columns.collect::<Vec<_>>().join(", "),
        table_location(table, location),
        partitions.join(", "),
    )
}

pub(crate) fn add_column(table: &Table, column: &Column) -> String {
    format!("ALTER TABLE {} ADD COLUMN {}", quoted(table.name), declared(column))
}

/// An external table's files stay.
pub(crate) fn drop_table(table: &Table) -> String {
    format!("DROP TABLE {}", quoted(table.name))
}

pub(crate) fn create_view(view: &View) -> String {
    format!("CREATE OR REPLACE VIEW {} SECURITY INVOKER AS {}", quoted(view.name), view.sql)
}

pub(crate) fn show_create(table: &Table) -> String {
    format!("SHOW CREATE TABLE {}", quoted(table.name))
}

/// The columns of a table in the session's schema with their types, in their order; nothing where it is not there.
pub(crate) fn columns_of(schema: &str, table: &Table) -> String {
    format!(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '{}' AND table_name = '{}' \
         ORDER BY ordinal_position",
        // As Trino keeps names, however they are written.
        schema.to_lowercase().replace('\'', "''"),
        table.name
    )
}

pub(crate) fn table_location(table: &Table, location: &str) -> String {
    format!("{}/{}", location.trim_end_matches('/').replace('\'', "''"), table.name)
}

fn declared(column: &Column) -> String {
    format!("{} {}", quoted(column.name), column.data_type.trino_name())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantissa_lake::catalogue::catalogue;

    #[test]
    fn names_that_are_words_of_sql_are_quoted_and_locations_cannot_end_their_text() {
        let table = catalogue().table("vpc_flow_logs").unwrap();
        let statement = create_table(table, "s3://bucket/it's/");
        assert!(statement.contains("\"end\" bigint") && statement.contains("'s3://bucket/it''s/vpc_flow_logs'"));
        assert!(statement.contains("ARRAY['1970', '2099']") && statement.contains("ARRAY['year', 'month', 'day']"));
        assert_eq!(create_schema("a\"b"), "CREATE SCHEMA IF NOT EXISTS \"a\"\"b\"");
    }
}
