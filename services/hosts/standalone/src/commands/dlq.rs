//! `mantissa dlq`: what died, why, and putting it back.

use super::Invocation;
use super::replay_dead::{readable, replay};
use crate::arguments::DlqCommand;
use crate::exit::{bad_input, not_found};
use crate::installation::Installation;
use crate::output::{self, Format};
use mantissa_contracts::time::format_instant;
use mantissa_ports::{DeadMessage, Queue};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use uuid::Uuid;

const PAGE: usize = 500;

pub(crate) async fn run(invocation: &Invocation, command: DlqCommand) -> anyhow::Result<ExitCode> {
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

/// Reasons that differ only in numbers and ids are one group. A name with a digit in it, as UTF-8, is neither.
fn fingerprint(reason: &str) -> String {
    let words = reason.split_whitespace().map(|word| {
        let n_digits = word.chars().filter(char::is_ascii_digit).count();
        let n_letters = word.chars().filter(|c| c.is_alphabetic()).count();
        if n_digits >= 4 || (n_digits > 0 && n_digits >= n_letters) { "…" } else { word }
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

pub(super) fn queues(installation: &Installation, name: Option<&str>) -> anyhow::Result<Vec<Arc<dyn Queue>>> {
    match name {
        None => Ok(installation.publisher.queues().into_iter().cloned().collect()),
        Some(name) => match installation.publisher.queue(name) {
            Some(queue) => Ok(vec![queue.clone()]),
            None => Err(not_found(format!("no queue `{name}`"))),
        },
    }
}

pub(super) async fn all_dead(queue: &dyn Queue) -> anyhow::Result<Vec<DeadMessage>> {
    let mut all: Vec<DeadMessage> = Vec::new();
    loop {
        let page = queue.dead(PAGE, all.last().map(|message| message.dead_id)).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

pub(super) async fn find(installation: &Installation, dead: &str) -> anyhow::Result<(Arc<dyn Queue>, DeadMessage)> {
    let dead_id: Uuid = dead.parse().map_err(|_| bad_input(format!("`{dead}` is not a message id")))?;
    for queue in installation.publisher.queues() {
        if let Some(message) = queue.dead_message(dead_id).await? {
            return Ok((queue.clone(), message));
        }
    }
    Err(not_found(format!("no dead message `{dead}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_ids_and_numbers_are_one_group() {
        let reason =
            |id: &str, status: u16| fingerprint(&format!("delivery `{id}` is dead: answered {status}, not UTF-8"));
        let one = reason("00000000-0000-5000-8000-000000000000", 400);
        assert_eq!(one, reason("abcdefab-cdef-5bcd-8bcd-1234567890ab", 404));
        assert_eq!(one, "delivery … is dead: answered … not UTF-8");
    }
}
