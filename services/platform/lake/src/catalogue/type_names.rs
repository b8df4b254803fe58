//! How SQL engines and the Glue Data Catalog name the types of columns.

use super::{Column, ColumnType};

impl ColumnType {
    /// As Trino and Athena name it in queries.
    pub fn trino_name(&self) -> String {
        match self {
            Self::Varchar | Self::Json => "varchar".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Bigint => "bigint".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Timestamp => "timestamp(3)".to_owned(),
            Self::Struct(fields) => format!("row({})", join(fields, ' ', Self::trino_name)),
            Self::Array(item) => format!("array({})", item.trino_name()),
        }
    }

    /// As Hive's metastore names it, which Glue is.
    pub fn hive_name(&self) -> String {
        match self {
            Self::Varchar | Self::Json => "string".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::Bigint => "bigint".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Struct(fields) => format!("struct<{}>", join(fields, ':', Self::hive_name)),
            Self::Array(item) => format!("array<{}>", item.hive_name()),
        }
    }
}

fn join(fields: &[Column], separator: char, name_of: fn(&ColumnType) -> String) -> String {
    let named = fields.iter().map(|field| format!("{}{separator}{}", field.name, name_of(&field.data_type)));
    named.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types_are_named_from_the_outside_in() {
        let field = |name, data_type| Column { name, source_field: name, data_type, doc: "" };
        let row = ColumnType::Struct(vec![field("a", ColumnType::Json), field("b", ColumnType::Timestamp)]);
        let nested = ColumnType::Array(Box::new(row));
        assert_eq!(nested.trino_name(), "array(row(a varchar,b timestamp(3)))");
        assert_eq!(nested.hive_name(), "array<struct<a:string,b:timestamp>>");
    }
}
