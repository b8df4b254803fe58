//! `mantissa dlq`: what died, why, and putting it back.

use super::Invocation;
use crate::arguments::DlqCommand;
use crate::exit::{FOUND_PROBLEMS, bad_input, not_found};
use crate::installation::Installation;
use crate::output::{self, Format};
use mantissa_contracts::envelope::RawEnvelope;
use mantissa_contracts::time::format_instant;
use mantissa_contracts::topology::find_queue;
use mantissa_ports::{DeadMessage, Queue};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use uuid::Uuid;

const PAGE: usize = 500;

pub async fn run(invocation: &Invocation, command: DlqCommand) -> anyhow::Result<ExitCode> {
    let installation = invocation.open()?;
    match command {
        DlqCommand::List { queue } => list(invocation, &installation, queue.as_deref()).await,
        DlqCommand::Show { dead } => show(&installation, &dead).await,
        DlqCommand::Replay { dead, queue, dry_run } => {
            replay(invocation, &installation, dead.as_deref(), queue.as_deref(), dry_run).await
        }
    }
}

#[derive(Debug, Serialize)]
struct Group {
    queue: String,
    reason: String,
    count: usize,
    first: String,
    last: String,
    /// Ids of the messages, oldest first.
    dead_ids: Vec<Uuid>,
}

async fn list(invocation: &Invocation, installation: &Installation, queue: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut groups: BTreeMap<(String, String), Vec<DeadMessage>> = BTreeMap::new();
    for queue in queues(installation, queue)? {
        for message in all_dead(queue.as_ref()).await? {
            groups.entry((message.queue.clone(), fingerprint(&message.reason))).or_default().push(message);
        }
    }
    let groups: Vec<Group> = groups
        .into_iter()
        .filter_map(|((queue, reason), messages)| {
            let (first, last) = (messages.first()?, messages.last()?);
            Some(Group {
                queue,
                reason,
                count: messages.len(),
                first: format_instant(first.died_at),
                last: format_instant(last.died_at),
                dead_ids: messages.iter().map(|message| message.dead_id).collect(),
            })
        })
        .collect();
    match invocation.format {
        Format::Json => output::json(&groups)?,
        Format::Table if groups.is_empty() => output::line("no dead messages"),
        Format::Table => output::table(
            &["queue", "reason", "count", "first", "last", "newest id"],
            groups.iter().map(|group| {
                let newest = group.dead_ids.last().map(Uuid::to_string).unwrap_or_default();
                vec![
                    group.queue.clone(),
                    group.reason.clone(),
                    group.count.to_string(),
                    group.first.clone(),
                    group.last.clone(),
                    newest,
                ]
            }),
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reasons that differ only in numbers and ids are one group.
fn fingerprint(reason: &str) -> String {
    let words = reason.split_whitespace().map(|word| match word.chars().any(|c| c.is_ascii_digit()) {
        true => "…",
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

async fn show(installation: &Installation, dead: &str) -> anyhow::Result<ExitCode> {
    let (_, message) = find(installation, dead).await?;
    // The body is shown as it is, not as text inside JSON.
    let body: serde_json::Value =
        serde_json::from_str(&message.body).unwrap_or(serde_json::Value::String(message.body.clone()));
    let mut shown = serde_json::to_value(&message)?;
    shown["body"] = body;
    shown["readable"] = serde_json::json!(readable(&message));
    output::json(&shown)?;
    Ok(ExitCode::SUCCESS)
}

async fn replay(
    invocation: &Invocation,
    installation: &Installation,
    dead: Option<&str>,
    queue: Option<&str>,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let mut chosen: Vec<(Arc<dyn Queue>, DeadMessage)> = Vec::new();
    match (dead, queue) {
        (Some(dead), _) => chosen.push(find(installation, dead).await?),
        (None, Some(name)) => {
            for queue in queues(installation, Some(name))? {
                let dead = all_dead(queue.as_ref()).await?;
                chosen.extend(dead.into_iter().map(|message| (queue.clone(), message)));
            }
        }
        (None, None) => return Err(bad_input("say which: a message's id, or --queue NAME")),
    }
    let mut outcomes = Vec::new();
    let mut all_good = true;
    for (queue, message) in chosen {
        let outcome = match (readable(&message), dry_run) {
            (Err(reason), _) => {
                all_good = false;
                format!("skipped: {reason}")
            }
            (Ok(()), true) => "would be replayed".to_owned(),
            (Ok(()), false) if queue.replay(message.dead_id).await? => "replayed".to_owned(),
            (Ok(()), false) => "gone: someone replayed or discarded it meanwhile".to_owned(),
        };
        outcomes.push(BTreeMap::from([
            ("dead_id", message.dead_id.to_string()),
            ("queue", message.queue),
            ("outcome", outcome),
        ]));
    }
    match invocation.format {
        Format::Json => output::json(&outcomes)?,
        Format::Table => output::table(
            &["id", "queue", "outcome"],
            outcomes.iter().map(|outcome| outcome.values().cloned().collect::<Vec<_>>()).map(|mut row| {
                row.swap(1, 2);
                row
            }),
        ),
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}

/// Whether today's code can read the message, and if not, why.
fn readable(message: &DeadMessage) -> Result<(), String> {
    let envelope = RawEnvelope::decode(&message.body).map_err(|e| e.to_string())?;
    let (name, _) = envelope.name_and_version().map_err(|e| e.to_string())?;
    match find_queue(&message.queue) {
        Some(spec) if spec.messages.contains(&name) => Ok(()),
        _ => Err(format!("queue `{}` does not take `{name}`", message.queue)),
    }
}

fn queues(installation: &Installation, name: Option<&str>) -> anyhow::Result<Vec<Arc<dyn Queue>>> {
    match name {
        None => Ok(installation.publisher.queues().into_iter().cloned().collect()),
        Some(name) => match installation.publisher.queue(name) {
            Some(queue) => Ok(vec![queue.clone()]),
            None => Err(not_found(format!("no queue `{name}`"))),
        },
    }
}

async fn all_dead(queue: &dyn Queue) -> anyhow::Result<Vec<DeadMessage>> {
    let mut all: Vec<DeadMessage> = Vec::new();
    loop {
        let page = queue.dead(PAGE, all.last().map(|message| message.dead_id)).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn find(installation: &Installation, dead: &str) -> anyhow::Result<(Arc<dyn Queue>, DeadMessage)> {
    let dead_id: Uuid = dead.parse().map_err(|_| bad_input(format!("`{dead}` is not a message id")))?;
    for queue in installation.publisher.queues() {
        if let Some(message) = queue.dead_message(dead_id).await? {
            return Ok((queue.clone(), message));
        }
    }
    Err(not_found(format!("no dead message `{dead}`")))
}
