//! Mails in a list.

use super::locked;
use crate::mailer::{Mail, MailError, MailErrorKind, Mailer, TakenMail};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

type Said = Result<TakenMail, MailError>;

/// Takes every mail that has a recipient and well-formed addresses, unless it was told what to say.
#[derive(Default)]
pub struct MemoryMailer {
    sent: Mutex<Vec<Mail>>,
    told: Mutex<VecDeque<Said>>,
    /// Senders it refuses.
    unknown: Vec<String>,
}

impl MemoryMailer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn refusing(sender: impl Into<String>) -> Self {
        Self { unknown: vec![sender.into()], ..Self::default() }
    }

    /// What the next call comes to, after those that were told before.
    pub fn next(&self, said: Said) {
        locked(&self.told).push_back(said);
    }

    /// Every mail that was handed over, taken or not.
    pub fn sent(&self) -> Vec<Mail> {
        locked(&self.sent).clone()
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, mail: &Mail) -> Result<TakenMail, MailError> {
        let refused = |reason: &str| Err(MailError::new(MailErrorKind::Refused, reason));
        if mail.to.is_empty() {
            return refused("the mail is for nobody");
        }
        if mail.to.iter().chain([&mail.from]).any(|address| !address.contains('@')) {
            return refused("an address is malformed");
        }
        if self.unknown.contains(&mail.from) {
            return refused("the sender is not known");
        }
        let said = locked(&self.told).pop_front().unwrap_or_else(|| Ok(TakenMail::default()));
        locked(&self.sent).push(mail.clone());
        said
    }

    fn longest_send(&self) -> Duration {
        Duration::ZERO
    }
}
