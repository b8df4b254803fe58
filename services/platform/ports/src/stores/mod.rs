//! What the services remember. Every write that yields messages takes them along: the change and its messages
//! become durable together, and each message is then published at least once, even if the process dies right
//! after the write returns (a transactional outbox). A message that the topology does not know is a permanent error,
//! and nothing is changed.

pub mod alerts;
pub mod deliveries;
pub mod destinations;
pub mod ingests;
pub mod ledger;
pub mod rules;

pub use alerts::{
    AlertFilter, AlertRecord, AlertStore, ChangeCommit, CommitOutcome, KeyState, MAX_COMMIT_MATCHES, MatchCommit,
};
pub use deliveries::{Attempt, AttemptRecord, ClaimOutcome, DeliveryKey, DeliveryRecord, DeliveryStore};
pub use destinations::{Destination, DestinationStore};
pub use ingests::{BeginOutcome, EventSpan, IngestStore, IngestedObject, LakeCommit};
pub use ledger::{
    LedgerRow, LedgerStore, PlanOutcome, PlannedWindow, RuleActivation, RuleSchedule, UnjudgedCounts, WindowState,
};
pub use rules::{RuleStore, StoredRule};
