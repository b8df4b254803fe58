//! Settings of the notifiers. The host reads them; nothing here reads the environment.

use std::time::Duration;
use url::Url;

#[derive(Debug, Clone)]
pub struct NotifierConfig {
    /// Names this process in claims. Two processes, and two runs of one, must not share it.
    pub owner: String,
    /// Where people open alerts; without it messages carry no link.
    pub base_url: Option<Url>,
    /// How long a claim holds. Must exceed the HTTP client's total timeout by far: a claim that lapses while its
    /// worker still sends makes a second worker send too. That of a mail holds longer than a mailer can take.
    pub lease: Duration,
    /// The least time between two messages to one Slack channel.
    pub slack_interval: Duration,
    /// The least time between two requests to one webhook; `None` for no limit.
    pub webhook_interval: Option<Duration>,
}

impl NotifierConfig {
    pub fn new(owner: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            base_url: None,
            lease: Duration::from_secs(60),
            slack_interval: Duration::from_secs(1),
            webhook_interval: None,
        }
    }
}
