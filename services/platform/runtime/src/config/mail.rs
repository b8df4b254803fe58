//! `[mail]`: who sends mails, and through which relay.

use super::ConfigError;
use mantissa_ports::is_mail_address;
use serde::Deserialize;
use std::path::PathBuf;

/// What destinations of type `email` send with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailEntry {
    pub from: String,
    /// Of an installation outside AWS; there, SES sends.
    pub smtp: Option<SmtpEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpEntry {
    pub host: String,
    /// Without it, the one that belongs to `tls`.
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: SmtpTlsEntry,
    /// PEM.
    pub certificates: Option<PathBuf>,
    pub username: Option<String>,
    pub password_secret: Option<String>,
    /// How long it may look at a mail before it says whether it takes it.
    #[serde(default = "SmtpEntry::usual_answer_timeout_s")]
    pub answer_timeout_s: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTlsEntry {
    #[default]
    Starttls,
    Implicit,
    /// For a relay on this machine only.
    None,
}

impl MailEntry {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !is_mail_address(&self.from) {
            let wanted = "an address, alone or as `Somebody <name@example.org>`";
            return Err(ConfigError(format!("mail.from: `{}` is not {wanted}", self.from.escape_debug())));
        }
        self.smtp.as_ref().map_or(Ok(()), SmtpEntry::check)
    }
}

impl SmtpEntry {
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTlsEntry::Starttls => 587,
            SmtpTlsEntry::Implicit => 465,
            SmtpTlsEntry::None => 25,
        })
    }

    fn usual_answer_timeout_s() -> u64 {
        120
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !(1..=600).contains(&self.answer_timeout_s) {
            let given = self.answer_timeout_s;
            return Err(ConfigError(format!("mail.smtp: answer_timeout_s is {given}, and must be 1 to 600")));
        }
        if self.username.is_some() != self.password_secret.is_some() {
            return Err(ConfigError("mail.smtp: username and password_secret belong together, give both".to_owned()));
        }
        if self.tls == SmtpTlsEntry::None && !["127.0.0.1", "::1", "localhost"].contains(&self.host.as_str()) {
            let problem = "mail.smtp: tls = \"none\" is for a relay on this machine; alerts and passwords would be readable on their way";
            return Err(ConfigError(format!("{problem} to `{}`", self.host)));
        }
        Ok(())
    }
}
