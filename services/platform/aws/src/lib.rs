//! Adapters on the AWS SDK: SQS, SNS, DynamoDB, Athena, S3, EventBridge, Secrets Manager, SES. The only crate that names it.
//!
//! A service that is busy, throttles or fails is a transient error; one that denies access, or does not take what it was
//! given, is a permanent one that says so in the service's own words.

mod account;
pub mod athena;
mod batches;
mod connect;
pub mod dynamodb;
mod error;
mod event_bus;
pub mod s3;
mod secrets_manager;
mod ses_mailer;
mod sns_topic;
pub mod sqs;
mod wire_text;

pub use account::Account;
pub use connect::{config_loader, load_config};
pub use event_bus::{BusEvent, EventBus};
pub use secrets_manager::SecretsManagerStore;
pub use ses_mailer::SesMailer;
pub use sns_topic::SnsTopic;
