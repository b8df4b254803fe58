//! What sends mails: the relay that the configuration names.

use crate::exit::bad_input;
use mantissa_embedded::{SmtpConfig, SmtpLogin, SmtpMailer, SmtpTls};
use mantissa_notifiers::OutboundMail;
use mantissa_ports::SecretStore;
use mantissa_runtime::config::{MailEntry, SmtpEntry, SmtpTlsEntry};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn outbound_mail(entry: &MailEntry, secrets: Arc<dyn SecretStore>) -> anyhow::Result<OutboundMail> {
    let smtp = entry.smtp.as_ref();
    let smtp =
        smtp.ok_or_else(|| bad_input("[mail] has no [mail.smtp]: say there which relay sends mails".to_owned()))?;
    let mailer = SmtpMailer::new(config_of(smtp)?, secrets).map_err(|e| bad_input(format!("mail.smtp: {e}")))?;
    Ok(OutboundMail { mailer: Arc::new(mailer), from: entry.from.clone() })
}

fn config_of(entry: &SmtpEntry) -> anyhow::Result<SmtpConfig> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|e| bad_input(format!("mail.smtp: certificates {}: {e}", path.display())))
    };
    let login = match (&entry.username, &entry.password_secret) {
        (Some(username), Some(password_secret)) => {
            Some(SmtpLogin { username: username.clone(), password_secret: password_secret.clone() })
        }
        _ => None,
    };
    Ok(SmtpConfig {
        host: entry.host.clone(),
        port: entry.port(),
        tls: match entry.tls {
            SmtpTlsEntry::Starttls => SmtpTls::Starttls,
            SmtpTlsEntry::Implicit => SmtpTls::Implicit,
            SmtpTlsEntry::None => SmtpTls::None,
        },
        certificates: entry.certificates.as_ref().map(read).transpose()?,
        login,
        answer_timeout: Duration::from_secs(entry.answer_timeout_s),
    })
}
