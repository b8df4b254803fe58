//! The body of a webhook: a contract with its receivers, so fields are added and never changed.

use crate::clean_text::shorten;
use crate::error::RenderError;
use crate::render::{Notification, Rung};
use mantissa_contracts::messages::{AlertContext, AlertSnapshot, Intent};
use mantissa_contracts::time::Instant;
use serde::Serialize;

/// Receivers commonly refuse more.
const MAX_BODY_BYTES: usize = 256 * 1024;

#[derive(Serialize)]
struct WebhookBody<'a> {
    #[serde(rename = "type")]
    body_type: &'static str,
    /// Of this body's shape.
    version: u32,
    /// When the alert became what is shown.
    timestamp: Instant,
    data: WebhookData<'a>,
}

#[derive(Serialize)]
struct WebhookData<'a> {
    alert: &'a AlertSnapshot,
    context: Option<&'a AlertContext>,
    /// Present, and true, where the alert was too large to be sent whole.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

pub(crate) fn write(notification: &Notification<'_>, rung: Rung) -> Result<Vec<u8>, RenderError> {
    let alert = cut(notification.alert, rung);
    let body = WebhookBody {
        body_type: match notification.intent {
            Intent::Open => "alert.opened",
            Intent::Update => "alert.updated",
            Intent::Close => "alert.closed",
        },
        version: 1,
        timestamp: alert.updated_at,
        data: WebhookData {
            alert: &alert,
            context: notification.context.filter(|_| rung == Rung::Full),
            truncated: rung != Rung::Full,
        },
    };
    let bytes = serde_json::to_vec(&body)?;
    if bytes.len() > MAX_BODY_BYTES {
        return Err(RenderError::TooLarge { what: "the body in bytes", size: bytes.len(), limit: MAX_BODY_BYTES });
    }
    Ok(bytes)
}

/// Every rung is a whole alert by its schema.
fn cut(alert: &AlertSnapshot, rung: Rung) -> AlertSnapshot {
    let mut alert = alert.clone();
    let (n_keys, value_chars) = match rung {
        Rung::Full => return alert,
        Rung::WithoutOptional => (usize::MAX, usize::MAX),
        Rung::Truncated => (20, 500),
        Rung::OneLine => (0, 150),
    };
    alert.evidence.clear();
    alert.alert_key.truncate(n_keys);
    for part in &mut alert.alert_key {
        part.field = shorten(&part.field, value_chars);
        part.value = part.value.as_deref().map(|value| shorten(value, value_chars));
    }
    if rung != Rung::WithoutOptional {
        alert.title = shorten(&alert.title, value_chars);
        alert.rule.title = shorten(&alert.rule.title, value_chars);
        alert.rule.runbook = alert.rule.runbook.filter(|_| rung == Rung::Truncated).map(|text| shorten(&text, 2000));
        alert.rule.tags.clear();
        alert.rule.destinations.clear();
    }
    alert
}
