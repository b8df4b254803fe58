//! Mails, handed over for delivery.

use async_trait::async_trait;
use std::fmt;

/// A mail with a text and the same as HTML. Addresses are ASCII: `soc@example.com` or `"The SOC" <soc@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
    /// `<…@…>`, the same however often the mail is sent. A provider may put its own in its place.
    pub message_id: String,
    /// `<…@…>`, the same in every mail of one conversation.
    pub thread: String,
}

/// What became of a mail that was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenMail {
    /// What the provider calls it.
    pub provider_id: Option<String>,
    /// Of those it was for, the ones the provider will not deliver it to.
    pub not_for: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailErrorKind {
    /// Nobody gets it; later it may be taken: no connection, busy.
    Transient,
    /// Nobody gets it; it was too much at once.
    Throttled,
    /// Nobody gets it: who we say we are was not believed, or may not send.
    Denied,
    /// Nobody gets it, now or later: a malformed address, a sender that is not known.
    Refused,
    /// It was on its way when the connection broke: it may have been taken.
    NoAnswer,
}

/// Holds no credential, and nothing a relay said save its codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailError {
    pub kind: MailErrorKind,
    pub reason: String,
}

impl MailError {
    pub fn new(kind: MailErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for MailError {}

/// Hands mails to who delivers them: a relay, SES.
///
/// - `Ok` means that the provider answers for the mail from now on, for all it is for but those in
///   [`TakenMail::not_for`]; whether a person sees it is not known. Where it takes the mail for none, that is an error.
/// - Each call hands the mail over at most once: trying again is the caller's.
/// - The mail arrives with both bodies, refers to its thread (`References`), and says that a machine wrote it
///   (`Auto-Submitted: auto-generated`), so that nothing answers it by itself.
#[async_trait]
pub trait Mailer: Send + Sync {
    async fn send(&self, mail: &Mail) -> Result<TakenMail, MailError>;
}
