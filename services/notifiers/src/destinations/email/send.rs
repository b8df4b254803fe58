//! The mail, and what became of it.

use super::EmailEndpoint;
use super::message::{Message, build};
use crate::destinations::Sending;
use crate::error::RenderError;
use crate::render::{Notification, Rung};
use crate::retry::{Judgement, classify_mail};
use mantissa_contracts::messages::AttemptOutcome;
use mantissa_ports::Mail;

impl EmailEndpoint {
    pub(crate) fn message(&self, notification: &Notification<'_>, rung: Rung) -> Result<Vec<u8>, RenderError> {
        Ok(serde_json::to_vec(&build(notification, rung)?)?)
    }

    pub(crate) async fn send(&self, body: &[u8], sending: &Sending<'_>) -> Judgement {
        let permanent = |reason: String| Judgement::new(AttemptOutcome::Permanent, reason);
        let Some(outbound) = sending.mail else {
            return permanent("nothing sends mails here: the configuration has no [mail]".to_owned());
        };
        let Message { subject, text, html } = match serde_json::from_slice(body) {
            Ok(message) => message,
            Err(error) => return permanent(format!("the mail was not written: {error}")),
        };
        let mail = Mail {
            from: outbound.from.clone(),
            to: self.to.clone(),
            subject,
            text,
            html,
            message_id: format!("<{}@{}>", sending.delivery_id, domain_of(&outbound.from)),
            thread: format!("<{}@{}>", sending.alert_id, domain_of(&outbound.from)),
        };
        classify_mail(&outbound.mailer.send(&mail).await, self.to.len())
    }
}

fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default().trim_end_matches('>')
}
