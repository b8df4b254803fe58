//! A webhook as [Standard Webhooks](https://www.standardwebhooks.com) describes it: signed, with an id that stays the
//! same on every try.

mod config;
pub(crate) mod message;
mod send;
mod sign;
#[cfg(test)]
mod tests;

pub(crate) use config::{SETTINGS, WebhookEndpoint};
