use super::*;
use std::collections::HashSet;

fn assert_unique(names: impl Iterator<Item = &'static str>, of: &str) {
    let mut seen = HashSet::new();
    for name in names {
        assert!(seen.insert(name.to_ascii_lowercase()), "`{name}` is twice in {of}");
    }
}

#[test]
fn every_log_source_has_one_table_and_names_are_unique() {
    for source in LogSource::ALL {
        assert!(catalogue().table_of(source).is_some(), "{source:?}");
        assert_eq!(LogSource::parse(source.as_str()), Some(source));
    }
    assert_unique(
        catalogue().tables.iter().map(|t| t.name).chain(catalogue().views.iter().map(|v| v.name)),
        "catalogue",
    );
    for table in &catalogue().tables {
        assert_unique(table.columns.iter().map(|c| c.name).chain(PARTITION_COLUMNS), table.name);
        assert_unique(table.columns.iter().map(|c| c.source_field), table.name);
    }
}

#[test]
fn views_select_the_columns_they_declare_in_that_order() {
    for view in &catalogue().views {
        for branch in view.sql.split(" UNION ALL ") {
            let mut position = 0;
            for column in &view.columns {
                let at = branch[position..].find(column.name);
                position += at.unwrap_or_else(|| panic!("`{}` does not select `{}` in order", view.name, column.name));
            }
        }
    }
}

#[test]
fn fields_resolve_by_source_name_then_column_name_then_any_case() {
    let table = catalogue().table("CLOUDTRAIL_LOGS").unwrap();
    for field in ["userIdentity", "useridentity", "USERIDENTITY"] {
        assert_eq!(table.column_of_field(field).unwrap().name, "useridentity");
    }
    let issuer = table.column_of_field("userIdentity").unwrap().field("sessionContext").unwrap().field("sessionIssuer");
    assert_eq!(issuer.unwrap().field("userName").unwrap().name, "username");
    assert_eq!(table.column_of_field("resources").unwrap().field("ARN").unwrap().name, "arn");
    let flows = catalogue().table("vpc_flow_logs").unwrap();
    assert_eq!(flows.column_of_field("account_id"), flows.column_of_field("account-id"));
    assert!(flows.column_of_field("nothing").is_none());
}
