//! Items: attributes written and read, keys made.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::DateTime;
use mantissa_contracts::time::Instant;
use mantissa_ports::PortError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

use super::schema::{PK, SK};

pub(super) type Item = HashMap<String, AttributeValue>;

/// What a document is kept under.
const DOCUMENT: &str = "document";

/// A key of a table: partition and place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(super) fn attributes(&self) -> Item {
        Item::from([(PK.to_owned(), text(&self.pk)), (SK.to_owned(), text(&self.sk))])
    }
}

/// The attributes of an item beside its key.
#[derive(Debug, Clone, Default)]
pub(super) struct Attributes(Item);

impl Attributes {
    pub(super) fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    pub(super) fn number(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::N(value.to_string()));
        self
    }

    pub(super) fn instant(self, name: &str, value: Instant) -> Self {
        self.number(name, value.timestamp_millis())
    }

    pub(super) fn document<T: Serialize>(self, subject: &str, value: &T) -> Result<Self, PortError> {
        Ok(self.text(DOCUMENT, to_json(subject, value)?))
    }

    pub(super) fn with_key(mut self, key: &Key) -> Item {
        self.0.extend(key.attributes());
        self.0
    }
}

pub(super) fn to_json<T: Serialize>(subject: &str, value: &T) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|error| PortError::permanent("write document of", subject, error))
}

pub(super) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn instant(value: Instant) -> AttributeValue {
    number(value.timestamp_millis())
}

/// An instant within a key.
pub(super) fn sortable(instant: Instant) -> String {
    format!("{:020}", instant.timestamp_millis())
}

/// One that sorts the newest first.
pub(super) fn newest_first(instant: Instant) -> String {
    format!("{:020}", i64::MAX - instant.timestamp_millis().max(0))
}

/// An item that was read, and where from, for what is said when it is not as it should be.
pub(super) struct Stored<'a> {
    pub(super) table: &'static str,
    pub(super) item: &'a Item,
}

impl Stored<'_> {
    pub(super) fn text(&self, name: &str) -> Result<&str, PortError> {
        self.get(name, |value| value.as_s().ok().map(String::as_str), "a text")
    }

    pub(super) fn optional_text(&self, name: &str) -> Option<&str> {
        self.item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, PortError> {
        self.get(name, |value| value.as_n().ok().and_then(|text| text.parse().ok()), "a number")
    }

    pub(super) fn instant(&self, name: &str) -> Result<Instant, PortError> {
        self.get(
            name,
            |value| value.as_n().ok().and_then(|text| text.parse().ok()).and_then(DateTime::from_timestamp_millis),
            "an instant",
        )
    }

    pub(super) fn document<T: DeserializeOwned>(&self) -> Result<T, PortError> {
        self.parse(DOCUMENT)
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, name: &str) -> Result<T, PortError> {
        serde_json::from_str(self.text(name)?).map_err(|error| self.bad(name, &error.to_string()))
    }

    fn get<'a, T>(
        &'a self,
        name: &str,
        read: impl FnOnce(&'a AttributeValue) -> Option<T>,
        expected: &str,
    ) -> Result<T, PortError> {
        self.item.get(name).and_then(read).ok_or_else(|| self.bad(name, &format!("expected {expected}")))
    }

    fn bad(&self, name: &str, what: &str) -> PortError {
        let key = |name| self.optional_text(name).unwrap_or("?");
        let subject = format!("{} {} / {}", self.table, key(PK), key(SK));
        PortError::permanent("read item", subject, format!("attribute `{name}`: {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_keys_sort_as_time_does() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        assert!(sortable(at(999)) < sortable(at(1_000)) && sortable(at(1_000)) < sortable(at(1_700_000_000_000)));
        assert!(newest_first(at(1_000)) < newest_first(at(999)));
    }

    #[test]
    fn an_attribute_that_is_not_as_expected_is_named_with_its_item() {
        let item = Attributes::default().text("until", "soon").with_key(&Key::new("SEAL#t", "SEAL"));
        let stored = Stored { table: "ingests", item: &item };
        let error = stored.instant("until").unwrap_err().to_string();
        assert!(error.contains("ingests SEAL#t / SEAL") && error.contains("`until`: expected an instant"), "{error}");
    }
}
