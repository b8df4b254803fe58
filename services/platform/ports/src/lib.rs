//! What the services need from the world, as small traits.
//!
//! Each trait's doc comment is its contract: ordering, idempotency, what `Ok` means. Every sentence of a
//! contract has a case in [`conformance`], which the in-memory fakes ([`memory`]) and every adapter pass.
//!
//! Adapters do conditional reads and writes only; decisions are pure functions in `domain`.

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod error;
pub mod mailer;
#[cfg(feature = "memory")]
pub mod memory;
pub mod object_storage;
pub mod outgoing;
pub mod publisher;
pub mod query_engine;
pub mod queue;
pub mod raw_objects;
pub mod secret_store;
pub mod stores;
pub mod topic;
pub mod tracked_queries;

pub use clock::{Clock, SystemClock};
pub use error::{PortError, PortErrorKind};
pub use mailer::{Mail, MailError, MailErrorKind, Mailer, TakenMail, is_mail_address};
pub use object_storage::{ObjectStorage, StoredObject};
pub use outgoing::Outgoing;
pub use publisher::Publisher;
pub use query_engine::{Column, QueryEngine, QueryRequest, QueryStats, QueryStatus, ResultPage};
pub use queue::{DeadMessage, Queue, QueueDepth, Receipt, ReceivedMessage};
pub use raw_objects::{RawObject, RawObjectSource};
pub use secret_store::{Secret, SecretStore};
pub use topic::Topic;
