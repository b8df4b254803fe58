//! Handles matches in batches, one commit per alert and batch.

use crate::{DedupDeps, group_matches};
use async_trait::async_trait;
use mantissa_contracts::Envelope;
use mantissa_contracts::messages::RuleMatched;
use mantissa_domain::alert_key;
use mantissa_runtime::handler::trace_of;
use mantissa_runtime::{Handled, Handler, HandlerError, trace_context};
use std::collections::BTreeMap;

pub struct MatchHandler(pub DedupDeps);

#[async_trait]
impl Handler for MatchHandler {
    type Message = RuleMatched;

    async fn handle(&self, envelope: &Envelope<RuleMatched>) -> Handled {
        self.handle_batch(std::slice::from_ref(envelope)).await.pop().unwrap_or(Ok(Vec::new()))
    }

    async fn handle_batch(&self, batch: &[Envelope<RuleMatched>]) -> Vec<Handled> {
        // Matches of one key in one receive are committed together: a burst costs one write, not one each.
        let mut groups: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
        for (index, envelope) in batch.iter().enumerate() {
            let key = alert_key::digest(&envelope.data.alert_key);
            groups.entry((envelope.data.rule.rule_id.as_str(), key)).or_default().push(index);
        }
        let runs = groups.into_iter().map(|((_, key_digest), indexes)| async move {
            let trace = indexes.first().and_then(|first| trace_of(&batch[*first]));
            let matches = indexes.iter().map(|index| &batch[*index].data).collect();
            let result = trace_context::within(trace, group_matches(&self.0, &key_digest, matches)).await;
            (indexes, result)
        });
        let mut handled: Vec<Handled> = batch.iter().map(|_| Ok(Vec::new())).collect();
        for (indexes, result) in futures::future::join_all(runs).await {
            if let Err(error) = result {
                for index in indexes {
                    handled[index] = Err(HandlerError::from(&error));
                }
            }
        }
        handled
    }
}
