//! The mail, and what became of it.

use super::EmailEndpoint;
use super::message::{Message, build};
use crate::destinations::Sending;
use crate::error::RenderError;
use crate::mute::TAKEN_FOR;
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
        let taken_for = addresses(sending.tried_ids.get(TAKEN_FOR));
        let to: Vec<String> = self.to.iter().filter(|address| !taken_for.contains(address)).cloned().collect();
        if to.is_empty() {
            return Judgement::new(AttemptOutcome::Succeeded, "the mail was taken for all it is still for");
        }
        let mail = Mail {
            from: outbound.from.clone(),
            to,
            subject,
            text,
            html,
            message_id: format!("<{}@{}>", sending.delivery_id, domain_of(&outbound.from)),
            thread: format!("<{}@{}>", sending.alert_id, domain_of(&outbound.from)),
        };
        let sent = outbound.mailer.send(&mail).await;
        let mut judgement = classify_mail(&sent, self.to.len());
        if let Ok(taken) = &sent
            && !taken.not_yet_for.is_empty()
        {
            let is_taken = |address: &&String| !taken.not_for.contains(address) && !taken.not_yet_for.contains(address);
            let mut all = taken_for;
            all.extend(mail.to.iter().filter(is_taken).cloned());
            judgement.provider_ids.insert(TAKEN_FOR.to_owned(), serde_json::Value::from(all).to_string());
        }
        judgement
    }
}

fn addresses(list: Option<&String>) -> Vec<String> {
    list.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default()
}

fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default().trim_end_matches('>')
}
