//! An alert as a mail: a text, and the same as HTML. What comes from a rule or a log is cleaned, its addresses are made
//! unclickable, and the template escapes it.

use crate::clean_text::{clean_line, defang, defang_hosts, shorten};
use crate::error::RenderError;
use crate::render::{Notification, Rung};
use mantissa_contracts::messages::{Intent, Severity};
use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

const MAX_SUBJECT: usize = 200;
/// Gmail shows no more than 102 KB of a mail.
const MAX_HTML: usize = 90_000;
/// The name's end is what makes the environment escape.
const TEMPLATE: (&str, &str) = ("message.html", include_str!("message.html"));

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// How long texts may be at each rung.
struct Room {
    value: usize,
    event: usize,
    n_fields: usize,
}

/// What the text and the template show.
#[derive(Serialize)]
struct Shown {
    severity: String,
    color: &'static str,
    change: &'static str,
    title: String,
    alert_id: String,
    link: Option<String>,
    facts: Vec<(String, String)>,
    key_fields: Vec<(String, String)>,
    sections: Vec<(&'static str, Vec<String>)>,
    event: Option<String>,
}

pub(super) fn build(notification: &Notification<'_>, rung: Rung) -> Result<Message, RenderError> {
    let shown = show(notification, rung);
    let html = write_html(&shown)?;
    if html.len() > MAX_HTML {
        return Err(RenderError::TooLarge { what: "the mail in bytes", size: html.len(), limit: MAX_HTML });
    }
    Ok(Message { subject: subject(notification), text: write_text(&shown), html })
}

/// The same for all that is told of an alert until its severity is raised: mail programs put together what refers to one
/// thread, some of them only under one subject, and what got worse is to be seen.
fn subject(notification: &Notification<'_>) -> String {
    let alert = notification.alert;
    let answer = if notification.intent == Intent::Open { "" } else { "Re: " };
    let title = untrusted(&alert.title, MAX_SUBJECT);
    shorten(&format!("{answer}[{}] {title}", alert.severity.as_str().to_uppercase()), MAX_SUBJECT)
}

fn show(notification: &Notification<'_>, rung: Rung) -> Shown {
    let alert = notification.alert;
    let room = match rung {
        Rung::Full | Rung::WithoutOptional => Room { value: 1000, event: 10_000, n_fields: 20 },
        Rung::Truncated | Rung::OneLine => Room { value: 100, event: 1000, n_fields: 5 },
    };
    let field = |label: &str, value: &str| (shorten(&defang(&clean_line(label)), 100), untrusted(value, room.value));
    let mut shown = Shown {
        severity: alert.severity.as_str().to_uppercase(),
        color: color(alert.severity),
        change: notification.change(),
        title: untrusted(&alert.title, room.value),
        alert_id: alert.alert_id.to_string(),
        link: notification.link().map(String::from),
        facts: Vec::new(),
        key_fields: Vec::new(),
        sections: Vec::new(),
        event: None,
    };
    if rung == Rung::OneLine {
        return shown;
    }
    shown.facts = notification.facts().iter().map(|(label, value)| field(label, value)).collect();
    let key_fields = notification.key_fields().into_iter().take(room.n_fields);
    shown.key_fields = key_fields.map(|(label, value)| field(label, value)).collect();
    if rung == Rung::Full {
        let lines = notification.context_lines().iter().map(|line| untrusted(line, room.value)).collect();
        shown.sections.push(("What is known", lines));
        shown.event = notification.first_event().map(|event| untrusted(event, room.event));
    }
    let steps = notification.runbook_steps().iter().take(room.n_fields).map(|step| shorten(step, room.value)).collect();
    shown.sections.push(("Runbook", steps));
    shown
}

fn write_text(shown: &Shown) -> String {
    let mut lines = vec![format!("{} · {}{}", shown.severity, shown.change, shown.title)];
    lines.extend(shown.link.clone());
    for fields in [&shown.facts, &shown.key_fields] {
        if !fields.is_empty() {
            lines.push(String::new());
        }
        lines.extend(fields.iter().map(|(label, value)| format!("{label}: {value}")));
    }
    let event = shown.event.iter().map(|event| ("First event", vec![event.clone()]));
    for (heading, of_section) in shown.sections.iter().cloned().chain(event) {
        if !of_section.is_empty() {
            lines.extend([String::new(), heading.to_owned()]);
        }
        lines.extend(of_section);
    }
    lines.extend([String::new(), format!("Alert {}", shown.alert_id)]);
    lines.join("\n")
}

fn write_html(shown: &Shown) -> Result<String, RenderError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let (name, source) = TEMPLATE;
    environment.add_template(name, source).map_err(RenderError::Template)?;
    let template = environment.get_template(name).map_err(RenderError::Template)?;
    template.render(minijinja::value::Serde(shown)).map_err(RenderError::Template)
}

fn untrusted(text: &str, limit: usize) -> String {
    shorten(&defang_hosts(&defang(&clean_line(text))), limit)
}

fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "#b3121d",
        Severity::High => "#c2410c",
        Severity::Medium => "#8a6100",
        Severity::Low => "#1d5fb4",
        Severity::Info => "#5b6675",
    }
}
