//! One file per message, in the order of the pipeline.
//!
//! Each file holds `mod v1` (later `mod v2` and a `From`) and re-exports the latest version.

pub mod alert;
pub mod alert_closed;
pub mod alert_enriched;
pub mod alert_opened;
pub mod alert_updated;
pub mod delivery_recorded;
pub mod notification_requested;
pub mod object_received;
pub mod query_completed;
pub mod query_requested;
pub mod query_started;
pub mod rule;
pub mod rule_failed;
pub mod rule_matched;

pub use alert::{AlertSnapshot, AlertStatus, KeyPart, MAX_KEY_PARTS, Verdict};
pub use alert_closed::AlertClosed;
pub use alert_enriched::{AlertContext, AlertEnriched};
pub use alert_opened::AlertOpened;
pub use alert_updated::{AlertUpdateReason, AlertUpdated};
pub use delivery_recorded::{AttemptOutcome, DeliveryRecorded, DeliveryState};
pub use notification_requested::{DestinationType, Intent, NotificationReason, NotificationRequested};
pub use object_received::ObjectReceived;
pub use query_completed::QueryCompleted;
pub use query_requested::QueryRequested;
pub use query_started::QueryStarted;
pub use rule::{RuleRef, Severity};
pub use rule_failed::{FailureKind, RuleFailed};
pub use rule_matched::{Evidence, RuleMatched};
