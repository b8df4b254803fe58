//! Mails, handed over for delivery.

use async_trait::async_trait;
use std::fmt;
use std::time::Duration;

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
    /// Of those it was for, the ones it may be taken for later: a mailbox that is full, more recipients than at once.
    pub not_yet_for: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailErrorKind {
    /// Nobody gets it; later it may be taken: no connection, busy.
    Transient,
    /// Nobody gets it; it was too much at once.
    Throttled,
    /// Nobody gets it: who we say we are was not believed, or may not send.
    Denied,
    /// Nobody gets it, now or later: a malformed address, a sender that is not known and will not be.
    Refused,
    /// It was on its way when the connection broke: it may have been taken.
    NoAnswer,
}

/// Holds no credential. Of what a provider said there are its codes, and its words only where they are known to hold none.
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
///   [`TakenMail::not_for`] and [`TakenMail::not_yet_for`], as they stand in [`Mail::to`]; whether a person sees it is not
///   known. Where it takes the mail for none, that is an error.
/// - Each call hands the mail over at most once: trying again is the caller's.
/// - The mail arrives with both bodies, refers to its thread (`References`), and says that a machine wrote it
///   (`Auto-Submitted: auto-generated`), so that nothing answers it by itself.
#[async_trait]
pub trait Mailer: Send + Sync {
    async fn send(&self, mail: &Mail) -> Result<TakenMail, MailError>;

    /// How long one call can take.
    fn longest_send(&self) -> Duration;
}

/// `name@domain`, alone or as `Somebody <name@domain>`; ASCII, and nothing that a mailer reads in another way or that could
/// begin another header.
pub fn is_mail_address(text: &str) -> bool {
    let (name, address) = match text.split_once('<') {
        Some((name, rest)) => match rest.strip_suffix('>') {
            Some(address) => (name.trim_end(), address),
            None => return false,
        },
        None => ("", text),
    };
    let is_plain_name = match name.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').is_some_and(|inside| !inside.contains(['"', '\\'])),
        None => !name.contains(['"', '\\', '(', ')', '[', ']', ',', ';', ':', '@', '.', '>']),
    };
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_local = |local: &str| local.split('.').all(|part| !part.is_empty() && part.chars().all(is_atom));
    let is_label = |label: &str| {
        !label.starts_with('-')
            && !label.ends_with('-')
            && !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let is_domain = |domain: &str| domain.contains('.') && domain.split('.').all(is_label);
    let is_one_line = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    let at = address.split_once('@');
    is_one_line && is_plain_name && at.is_some_and(|(local, domain)| is_local(local) && is_domain(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_alone_or_with_a_name_and_nothing_else_is_taken() {
        for good in [
            "soc@example.com",
            "first.last+siem@mail.example.com",
            "On call <on-call@example.com>",
            "\"SOC (EU), on call\" <soc@example.com>",
            "<soc@example.com>",
        ] {
            assert!(is_mail_address(good), "{good}");
        }
        for bad in [
            "",
            "soc",
            "soc@",
            "@example.com",
            "soc@localhost",
            "a@b@c.d",
            "a..b@c.d",
            ".a@c.d",
            "a@b.c.",
            "a@b..c",
            "a@-b.c",
            "Soc <a@b.c",
            "Soc <a@b.c> x",
            "SOC (EU) <a@b.c>",
            "SOC [prod] <a@b.c>",
            "\"SOC <a@b.c>",
            "a@b.c\r\nBcc: x@y.z",
            "Soc\n <a@b.c>",
            "\u{17c}@example.com",
            "a b@example.com",
        ] {
            assert!(!is_mail_address(bad), "{bad:?}");
        }
    }
}
