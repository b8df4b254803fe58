//! A user-supplied table of what is known about accounts, hosts, addresses and people.
//!
//! CSV with a header, or JSON (an array of flat objects). The column `entity` names the thing; every other
//! column becomes a fact of it.

use crate::Error;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub struct AssetTable {
    facts: HashMap<String, BTreeMap<String, String>>,
}

impl AssetTable {
    /// Reads a table; `path` is for errors and for telling the format by its ending.
    pub fn parse(path: &str, content: &str) -> Result<Self, Error> {
        let rows = if path.to_ascii_lowercase().ends_with(".json") {
            rows_of_json(path, content)?
        } else {
            rows_of_csv(path, content)?
        };
        let mut table = Self::default();
        for (line, mut row) in rows {
            let entity = row.remove("entity").filter(|entity| !entity.is_empty()).ok_or_else(|| Error::AssetTable {
                path: path.to_owned(),
                line,
                reason: "column `entity` is missing or empty".to_owned(),
            })?;
            row.retain(|_, value| !value.is_empty());
            table.facts.entry(entity.to_lowercase()).or_default().extend(row);
        }
        Ok(table)
    }

    /// What is known about an entity; its name is compared without regard to case.
    pub fn facts_of(&self, entity: &str) -> Option<&BTreeMap<String, String>> {
        self.facts.get(&entity.to_lowercase())
    }

    pub fn len(&self) -> usize {
        self.facts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }
}

type Rows = Vec<(u64, BTreeMap<String, String>)>;

fn rows_of_csv(path: &str, content: &str) -> Result<Rows, Error> {
    let error = |line: u64, reason: String| Error::AssetTable { path: path.to_owned(), line, reason };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(content.as_bytes());
    let header = reader.headers().map_err(|e| error(1, e.to_string()))?.clone();
    if !header.iter().any(|name| name == "entity") {
        return Err(error(1, "the header has no column `entity`".to_owned()));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| error(e.position().map_or(0, csv::Position::line), e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = header.iter().zip(record.iter()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        rows.push((line, row));
    }
    Ok(rows)
}

fn rows_of_json(path: &str, content: &str) -> Result<Rows, Error> {
    let error = |line: u64, reason: String| Error::AssetTable { path: path.to_owned(), line, reason };
    let rows: Vec<BTreeMap<String, Value>> =
        serde_json::from_str(content).map_err(|e| error(e.line() as u64, e.to_string()))?;
    rows.into_iter()
        .zip(1..)
        .map(|(row, number)| {
            let row = row
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => Ok((name, text)),
                    Value::Null => Ok((name, String::new())),
                    Value::Bool(_) | Value::Number(_) => Ok((name, value.to_string())),
                    Value::Array(_) | Value::Object(_) => {
                        Err(error(number, format!("column `{name}` of row {number} is not a plain value")))
                    }
                })
                .collect::<Result<_, _>>()?;
            Ok((number, row))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_csv_and_compares_without_case() {
        let table = AssetTable::parse("a.csv", "entity,owner,tier\nWeb-1, ana ,\n").unwrap();
        let facts = table.facts_of("web-1").unwrap();
        assert_eq!(facts.get("owner").map(String::as_str), Some("ana"));
        assert_eq!(facts.get("tier"), None);
    }

    #[test]
    fn reads_json() {
        let table = AssetTable::parse("a.json", r#"[{"entity":"111122223333","name":"prod","live":true}]"#).unwrap();
        assert_eq!(table.facts_of("111122223333").unwrap().get("live").map(String::as_str), Some("true"));
    }

    #[test]
    fn errors_name_file_line_and_column() {
        for (path, content, expected) in [
            ("a.csv", "name,owner\nx,y\n", "asset table `a.csv` line 1: the header has no column `entity`"),
            ("a.csv", "entity,owner\nx,y\n,z\n", "asset table `a.csv` line 3: column `entity` is missing or empty"),
            ("a.csv", "entity,owner\nx\n", "asset table `a.csv` line 2"),
            ("a.json", "[{\"entity\":\"x\",\"a\":[]}]", "column `a` of row 1 is not a plain value"),
            ("a.json", "[\n{]", "asset table `a.json` line 2"),
        ] {
            let error = AssetTable::parse(path, content).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
