//! An alert as a Slack message. Everything that comes from a rule or a log is `plain_text` or `rich_text`: nothing in it
//! becomes a mention, a link or markup.

use crate::clean_text::{clean_line, defang, shorten};
use crate::error::RenderError;
use crate::render::{Notification, Rung};
use mantissa_contracts::messages::Severity;
use serde_json::{Map, Value, json};

const MAX_BLOCKS: usize = 50;
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3000;
const MAX_FIELDS: usize = 10;
const MAX_FIELD: usize = 2000;
/// Slack refuses somewhat more than 13,000 characters over all blocks, without documenting it.
const MAX_TOTAL: usize = 10_000;

/// How long texts may be at each rung.
struct Room {
    value: usize,
    runbook: usize,
    n_keys: usize,
}

pub(super) fn build(notification: &Notification<'_>, rung: Rung) -> Result<Map<String, Value>, RenderError> {
    let mut message = Map::new();
    message.insert("text".to_owned(), Value::String(summary(notification)));
    message.insert("unfurl_links".to_owned(), Value::Bool(false));
    message.insert("unfurl_media".to_owned(), Value::Bool(false));
    if rung != Rung::OneLine {
        let blocks = blocks(notification, rung);
        check(&blocks)?;
        message.insert("blocks".to_owned(), Value::Array(blocks));
    }
    Ok(message)
}

/// What notifications and screen readers show; and the whole message on the last rung.
fn summary(notification: &Notification<'_>) -> String {
    let alert = notification.alert;
    let headline = headline(notification, 300);
    // The link is the operator's own and holds no text of a log.
    let link = notification.link().map(|link| format!(" {}", escape(link.as_str(), MAX_FIELD))).unwrap_or_default();
    format!("{headline} (alert {}){link}", alert.alert_id)
}

fn headline(notification: &Notification<'_>, limit: usize) -> String {
    let severity = notification.alert.severity;
    let start = format!("{} {} · {}", glyph(severity), severity.as_str().to_uppercase(), notification.change());
    let room = limit.saturating_sub(start.chars().count());
    format!("{start}{}", untrusted(&notification.alert.title, room))
}

fn blocks(notification: &Notification<'_>, rung: Rung) -> Vec<Value> {
    let room = match rung {
        Rung::Full | Rung::WithoutOptional => Room { value: 400, runbook: 2500, n_keys: 10 },
        Rung::Truncated | Rung::OneLine => Room { value: 80, runbook: 300, n_keys: 5 },
    };
    let mut blocks = vec![json!({ "type": "header", "text": plain(headline(notification, MAX_HEADER)) })];
    let facts = notification.facts();
    blocks.push(fields(facts.iter().map(|(label, value)| ((*label).to_owned(), untrusted(value, room.value)))));
    let keys: Vec<(String, String)> = notification
        .key_fields()
        .into_iter()
        .take(room.n_keys)
        .map(|(field, value)| (untrusted(field, 100), untrusted(value, room.value)))
        .collect();
    if !keys.is_empty() {
        blocks.push(fields(keys));
    }
    if rung == Rung::Full {
        blocks.extend(optional_blocks(notification));
    }
    let steps = notification.runbook_steps();
    if !steps.is_empty() {
        let text = format!("Runbook: {}", escape(&steps.join("\n"), room.runbook));
        blocks.push(json!({ "type": "section", "text": plain(text) }));
    }
    if let Some(link) = notification.link() {
        let link = json!({ "type": "link", "url": link.as_str(), "text": "Open the alert" });
        blocks.push(json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [link] }] }));
    }
    blocks
}

/// What is known about the entities, and the first event.
fn optional_blocks(notification: &Notification<'_>) -> Vec<Value> {
    let mut blocks = Vec::new();
    let lines: Vec<String> = notification.context_lines().iter().map(|line| untrusted(line, 300)).collect();
    if !lines.is_empty() {
        blocks.push(json!({ "type": "section", "text": plain(lines.join("\n")) }));
    }
    if let Some(event) = notification.first_event() {
        let text = json!({ "type": "text", "text": untrusted(event, 1500) });
        let code = json!({ "type": "rich_text_preformatted", "elements": [text] });
        blocks.push(json!({ "type": "rich_text", "elements": [code] }));
    }
    blocks
}

fn fields(pairs: impl IntoIterator<Item = (String, String)>) -> Value {
    let fields: Vec<Value> = pairs.into_iter().map(|(label, value)| plain(format!("{label}\n{value}"))).collect();
    json!({ "type": "section", "fields": fields })
}

/// `emoji` off: `:name:` in a log stays what it is.
fn plain(text: String) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

fn untrusted(text: &str, limit: usize) -> String {
    let text = escape(&defang(&clean_line(text)), limit);
    // Slack refuses an empty text.
    if text.is_empty() { "(empty)".to_owned() } else { text }
}

/// Escapes Slack's three control characters, and no other. The limit is on the escaped text, and no escape is cut.
fn escape(text: &str, limit: usize) -> String {
    let escaped_len = |c: char| match c {
        '&' => 5,
        '<' | '>' => 4,
        _ => 1,
    };
    let mut left = limit;
    let fitting = text.chars().take_while(|c| {
        let fits = escaped_len(*c) <= left;
        left = left.saturating_sub(escaped_len(*c));
        fits
    });
    let n_fitting = fitting.count();
    let text = if n_fitting < text.chars().count() { shorten(text, n_fitting) } else { text.to_owned() };
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn glyph(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::High => "🟠",
        Severity::Medium => "🟡",
        Severity::Low => "🔵",
        Severity::Info => "⚪",
    }
}

/// Holds a message against Slack's limits, on what was built rather than on what was meant.
pub(super) fn check(blocks: &[Value]) -> Result<(), RenderError> {
    let fits = |what, size, limit| {
        if size > limit { Err(RenderError::TooLarge { what, size, limit }) } else { Ok(()) }
    };
    fits("the number of blocks", blocks.len(), MAX_BLOCKS)?;
    let mut total = 0;
    for block in blocks {
        let block_total = text_chars(block);
        total += block_total;
        match block["type"].as_str() {
            Some("header") => fits("the header in characters", block_total, MAX_HEADER)?,
            Some("section") => {
                let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
                fits("the number of fields", fields.len(), MAX_FIELDS)?;
                for field in fields {
                    fits("a field in characters", text_chars(field), MAX_FIELD)?;
                }
                fits("a section's text in characters", text_chars(&block["text"]), MAX_SECTION)?;
            }
            _ => {}
        }
    }
    fits("the message in characters", total, MAX_TOTAL)
}

fn text_chars(value: &Value) -> usize {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "text" => text.chars().count(),
                other => text_chars(other),
            })
            .sum(),
        Value::Array(values) => values.iter().map(text_chars).sum(),
        _ => 0,
    }
}
