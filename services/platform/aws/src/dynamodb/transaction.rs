//! Writes that happen together or not at all.

use super::item::{Item, Key};
use super::schema::PK;
use super::table::{Table, pause};
use crate::error::port_error;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use mantissa_ports::PortError;
use std::collections::HashMap;

/// Writes DynamoDB takes in one transaction.
pub(super) const MAX_WRITES: usize = 100;
const MAX_ATTEMPTS: u32 = 12;
const WRITE: &str = "write together to";

/// An expression with the values it names, `:value`. Names of attributes stand in it as `#name` and mean `name`.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    pub(super) text: String,
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

impl Expression {
    pub(super) fn new(text: impl Into<String>, values: Vec<(&'static str, AttributeValue)>) -> Self {
        Self { text: text.into(), values }
    }

    pub(super) fn absent() -> Self {
        Self::new(format!("attribute_not_exists({PK})"), Vec::new())
    }

    /// The names `#name` in the expressions.
    fn names<'a>(expressions: impl Iterator<Item = &'a Expression>) -> Option<HashMap<String, String>> {
        let mut names = HashMap::new();
        for expression in expressions {
            for part in expression.text.split('#').skip(1) {
                let name: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                names.insert(format!("#{name}"), name);
            }
        }
        (!names.is_empty()).then_some(names)
    }

    fn values_of<'a>(expressions: impl Iterator<Item = &'a Expression>) -> Option<HashMap<String, AttributeValue>> {
        let values: HashMap<_, _> = expressions
            .flat_map(|expression| &expression.values)
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        (!values.is_empty()).then_some(values)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed,
    /// Which writes' conditions did not hold, by their place. Nothing was written.
    Refused(Vec<usize>),
}

pub(super) struct Transaction {
    client: Client,
    /// What errors name.
    subject: String,
    writes: Vec<TransactWriteItem>,
}

impl Transaction {
    pub(super) fn new(table: &Table, subject: impl Into<String>) -> Self {
        Self { client: table.client.clone(), subject: subject.into(), writes: Vec::new() }
    }

    pub(super) fn put(&mut self, table: &Table, item: Item, condition: Option<&Expression>) -> Result<(), PortError> {
        let put = Put::builder()
            .table_name(&table.id)
            .set_item(Some(item))
            .set_condition_expression(condition.map(|condition| condition.text.clone()))
            .set_expression_attribute_names(Expression::names(condition.into_iter()))
            .set_expression_attribute_values(Expression::values_of(condition.into_iter()))
            .build()
            .map_err(|error| self.malformed(error))?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    pub(super) fn update(
        &mut self,
        table: &Table,
        key: &Key,
        update: &Expression,
        condition: Option<&Expression>,
    ) -> Result<(), PortError> {
        let both = || std::iter::once(update).chain(condition);
        let update = Update::builder()
            .table_name(&table.id)
            .set_key(Some(key.attributes()))
            .update_expression(&update.text)
            .set_condition_expression(condition.map(|condition| condition.text.clone()))
            .set_expression_attribute_names(Expression::names(both()))
            .set_expression_attribute_values(Expression::values_of(both()))
            .build()
            .map_err(|error| self.malformed(error))?;
        self.writes.push(TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    pub(super) fn delete(&mut self, table: &Table, key: &Key) -> Result<(), PortError> {
        let delete = Delete::builder().table_name(&table.id).set_key(Some(key.attributes()));
        let delete = delete.build().map_err(|error| self.malformed(error))?;
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    pub(super) fn check(&mut self, table: &Table, key: &Key, condition: &Expression) -> Result<(), PortError> {
        let check = ConditionCheck::builder()
            .table_name(&table.id)
            .set_key(Some(key.attributes()))
            .condition_expression(&condition.text)
            .set_expression_attribute_names(Expression::names(std::iter::once(condition)))
            .set_expression_attribute_values(Expression::values_of(std::iter::once(condition)))
            .build()
            .map_err(|error| self.malformed(error))?;
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    /// Writes, trying again when another transaction holds one of the items.
    pub(super) async fn commit(self) -> Result<Outcome, PortError> {
        if self.writes.len() > MAX_WRITES {
            let what = format!("{} writes are more than the {MAX_WRITES} of one transaction", self.writes.len());
            return Err(PortError::permanent(WRITE, self.subject, what));
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let sent = self.client.transact_write_items().set_transact_items(Some(self.writes.clone())).send().await;
            let error = match sent {
                Ok(_) => return Ok(Outcome::Committed),
                Err(error) => error,
            };
            match cancelled(&error) {
                Some(Cancelled::Refused(places)) => return Ok(Outcome::Refused(places)),
                Some(Cancelled::Busy(_)) if attempt < MAX_ATTEMPTS => tokio::time::sleep(pause(attempt)).await,
                Some(Cancelled::Busy(code)) => {
                    return Err(PortError::transient(WRITE, self.subject, format!("{code} after {attempt} tries")));
                }
                None => return Err(port_error(WRITE, &self.subject, error)),
            }
        }
    }

    fn malformed(&self, error: BuildError) -> PortError {
        PortError::permanent(WRITE, &self.subject, error)
    }
}

enum Cancelled {
    Refused(Vec<usize>),
    Busy(String),
}

fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(error) => why_cancelled(error),
        _ => None,
    }
}

/// A condition tells more than a conflict.
fn why_cancelled(error: &TransactionCanceledException) -> Option<Cancelled> {
    let codes = || error.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).enumerate();
    let refused: Vec<usize> =
        codes().filter(|(_, code)| *code == "ConditionalCheckFailed").map(|(place, _)| place).collect();
    if !refused.is_empty() {
        return Some(Cancelled::Refused(refused));
    }
    codes()
        .find(|(_, code)| matches!(*code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"))
        .map(|(_, code)| Cancelled::Busy(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::CancellationReason;

    #[test]
    fn names_are_those_the_expressions_use() {
        let expressions = [
            Expression::new("SET #until = :u, #owner_id = :o", Vec::new()),
            Expression::new("#state = :state", Vec::new()),
        ];
        let names = Expression::names(expressions.iter()).unwrap();
        let mut names: Vec<_> = names.iter().map(|(key, name)| (key.as_str(), name.as_str())).collect();
        names.sort_unstable();
        assert_eq!(names, [("#owner_id", "owner_id"), ("#state", "state"), ("#until", "until")]);
        assert_eq!(Expression::names([Expression::absent()].iter()), None);
    }

    fn cancelled_for(codes: &[&str]) -> Option<Cancelled> {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        why_cancelled(&TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build())
    }

    #[test]
    fn condition_that_does_not_hold_tells_more_than_a_table_that_is_busy() {
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert!(matches!(cancelled_for(&["None", code]), Some(Cancelled::Busy(busy)) if busy == code), "{code}");
            let both = cancelled_for(&[code, "None", "ConditionalCheckFailed"]);
            assert!(matches!(both, Some(Cancelled::Refused(places)) if places == [2]), "{code}");
        }
        for code in ["ValidationError", "ItemCollectionSizeLimitExceeded", "None"] {
            assert!(cancelled_for(&[code]).is_none(), "{code}");
        }
    }
}
