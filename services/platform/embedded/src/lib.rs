//! Adapters of one machine: SQLite for queues, topics and stores, files for objects and secrets, DataFusion for
//! queries, SMTP for mails. The only crate that names any of them.

mod object_storage;
pub mod query_engine;
mod raw_objects;
pub mod secret_store;
mod smtp_mailer;
pub mod sqlite;

pub use object_storage::FsObjectStorage;
pub use raw_objects::FsRawObjectSource;
pub use secret_store::{EncryptedFileSecretStore, SecretStoreError};
pub use smtp_mailer::{SmtpConfig, SmtpLogin, SmtpMailer, SmtpTls};
