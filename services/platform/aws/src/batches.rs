//! Messages in the batches that SQS and SNS take.

use crate::wire_text;
use mantissa_ports::{Outgoing, PortError};

const MAX_ENTRIES: usize = 10;
/// Of a whole batch: bodies and attributes. Both services take this much in every region.
const MAX_BYTES: usize = 256 * 1024;

/// Neighbours that fit into one call, in order.
pub(crate) fn batches(messages: &[Outgoing]) -> impl Iterator<Item = &[Outgoing]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut n_bytes = 0;
        let fits = |message: &&Outgoing| {
            n_bytes += size_of(message);
            n_bytes <= MAX_BYTES
        };
        let n = rest.iter().take(MAX_ENTRIES).take_while(fits).count().max(1);
        let (batch, others) = rest.split_at(n);
        rest = others;
        Some(batch)
    })
}

fn size_of(message: &Outgoing) -> usize {
    let (body, encoded) = wire_text::encode(&message.body);
    // A name, a type and a value are counted for each attribute.
    let attributes = wire_text::attributes(&message.attributes, encoded);
    body.len() + attributes.map(|(name, value)| name.len() + value.len() + "String".len()).sum::<usize>()
}

/// What a service says of one entry of a batch that it did not take.
pub(crate) struct Refused<'a> {
    pub(crate) sender_fault: bool,
    pub(crate) code: &'a str,
    pub(crate) message: Option<&'a str>,
}

/// An error when entries were refused: for good as soon as one is, for the batch is sent again whole.
pub(crate) fn check_refused<'a>(
    operation: &'static str,
    subject: &str,
    refused: impl Iterator<Item = Refused<'a>>,
) -> Result<(), PortError> {
    let mut failure: Option<Refused<'a>> = None;
    for one in refused {
        if failure.as_ref().is_none_or(|failure| !failure.sender_fault) {
            failure = Some(one);
        }
    }
    let Some(Refused { sender_fault, code, message }) = failure else { return Ok(()) };
    let what = format!("{code}: {}", message.unwrap_or("the service does not say why"));
    // Being throttled is called a fault of the sender too.
    Err(match sender_fault && !code.contains("Throttl") {
        true => PortError::permanent(operation, subject, what),
        false => PortError::transient(operation, subject, what),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn message(n_bytes: usize) -> Outgoing {
        Outgoing {
            message_name: "rule_matched".to_owned(),
            id: uuid::Uuid::nil(),
            body: "x".repeat(n_bytes),
            attributes: BTreeMap::from([("type".to_owned(), "mantissa.rule_matched.v1".to_owned())]),
            delay: Duration::ZERO,
        }
    }

    fn sizes(messages: &[Outgoing]) -> Vec<usize> {
        batches(messages).map(<[Outgoing]>::len).collect()
    }

    #[test]
    fn a_batch_holds_ten_messages_and_a_quarter_of_a_megabyte() {
        assert_eq!(sizes(&vec![message(10); 23]), [10, 10, 3]);
        assert_eq!(sizes(&vec![message(100 * 1024); 5]), [2, 2, 1]);
        assert_eq!(sizes(&[message(200 * 1024), message(200 * 1024), message(1)]), [1, 2]);
        assert!(sizes(&[]).is_empty());
    }

    #[test]
    fn one_entry_refused_for_good_fails_the_batch_for_good() {
        let refused = |sender_fault, code| Refused { sender_fault, code, message: Some("why") };
        let check = |entries: Vec<Refused<'static>>| check_refused("send", "q", entries.into_iter()).unwrap_err();
        assert!(check(vec![refused(false, "InternalError")]).is_transient());
        assert!(check(vec![refused(true, "RequestThrottled")]).is_transient());
        let error = check(vec![refused(false, "InternalError"), refused(true, "InvalidMessageContents")]);
        assert!(!error.is_transient() && error.to_string().contains("InvalidMessageContents: why"));
    }
}
