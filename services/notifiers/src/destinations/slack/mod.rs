//! Slack, by an incoming webhook or, where updates are wanted, by `chat.postMessage` and `chat.update`.

mod config;
mod message;
mod send;
#[cfg(test)]
mod tests;

pub(crate) use config::{SETTINGS, SlackEndpoint};
