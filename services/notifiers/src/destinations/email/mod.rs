//! E-mail, by whatever the deployment sends mails with: SES, a relay.

mod config;
mod message;
mod send;
#[cfg(test)]
mod tests;

pub(crate) use config::{EmailEndpoint, SETTINGS};
