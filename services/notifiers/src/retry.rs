//! What an answer, or its absence, means. The one classification of all destinations.

mod read_retry_after;
mod read_slack_answer;
#[cfg(test)]
mod tests;

use crate::http::{BodyEnd, HttpAnswer, SendFailure};
use mantissa_contracts::messages::AttemptOutcome;
use mantissa_contracts::time::Instant;
use mantissa_ports::{MailError, MailErrorKind, TakenMail};
use read_retry_after::read_retry_after;
use read_slack_answer::{SlackAnswer, read_api_answer, read_webhook_answer};
use std::collections::BTreeMap;
use std::time::Duration;

/// A receiver that says "at once" is not hammered.
const WAIT_FLOOR: Duration = Duration::from_secs(1);

/// How a destination says that it took a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerStyle {
    /// Any 2xx; the body says nothing.
    Status,
    /// 200 with the body `ok`; else a code as the body.
    SlackWebhook,
    /// HTTP 200 whatever happened, and JSON with `ok` and `error`.
    SlackApi,
}

/// How one try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) outcome: AttemptOutcome,
    /// The wait the receiver asked for.
    pub(crate) told_wait: Option<Duration>,
    pub(crate) http_status: Option<u16>,
    /// Holds nothing the receiver said, save known codes, and what a mailer lets through (`ports::MailError`).
    pub(crate) reason: String,
    /// What the provider calls the notification.
    pub(crate) provider_ids: BTreeMap<String, String>,
    /// The provider's own code, if it is a known one.
    pub(crate) code: Option<&'static str>,
    /// It was taken, and does not reach everybody it was for.
    pub(crate) misses_somebody: bool,
}

impl Judgement {
    pub(crate) fn new(outcome: AttemptOutcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            told_wait: None,
            http_status: None,
            reason: reason.into(),
            provider_ids: BTreeMap::new(),
            code: None,
            misses_somebody: false,
        }
    }
}

pub(crate) fn classify(style: AnswerStyle, sent: &Result<HttpAnswer, SendFailure>, now: Instant) -> Judgement {
    let answer = match sent {
        Ok(answer) => answer,
        Err(SendFailure::Refused { reason }) => return Judgement::new(AttemptOutcome::Permanent, reason),
        Err(SendFailure::NotSent { reason }) => return Judgement::new(AttemptOutcome::Transient, reason),
        Err(SendFailure::NoAnswer { reason }) => return Judgement::new(AttemptOutcome::Unknown, reason),
    };
    let mut judgement = match style {
        AnswerStyle::Status => by_status(answer),
        AnswerStyle::SlackWebhook => by_slack(answer, read_webhook_answer(answer)),
        AnswerStyle::SlackApi => by_slack(answer, read_api_answer(answer)),
    };
    judgement.http_status = Some(answer.status);
    let told = read_retry_after(&answer.headers, now);
    if answer.status == 503 && told.is_some() && judgement.outcome == AttemptOutcome::Transient {
        judgement.outcome = AttemptOutcome::Throttled;
    }
    if judgement.outcome == AttemptOutcome::Throttled {
        judgement.told_wait = told.map(|wait| wait.max(WAIT_FLOOR));
        if let Some(wait) = judgement.told_wait {
            judgement.reason = format!("{}, told to wait {} s", judgement.reason, wait.as_secs());
        }
    }
    judgement
}

/// `n_recipients` are those it was for. One that is to be taken for some of them later is tried again, for them.
pub(crate) fn classify_mail(sent: &Result<TakenMail, MailError>, n_recipients: usize) -> Judgement {
    match sent {
        Ok(taken) => {
            let mut reason = "the mail was taken".to_owned();
            for (those, which) in [(&taken.not_for, "not"), (&taken.not_yet_for, "not yet")] {
                if !those.is_empty() {
                    let (n, those) = (those.len(), those.join(", "));
                    reason.push_str(&format!(", but {which} for {n} of {n_recipients} addresses: {those}"));
                }
            }
            let outcome =
                if taken.not_yet_for.is_empty() { AttemptOutcome::Succeeded } else { AttemptOutcome::Transient };
            let id = taken.provider_id.as_ref().filter(|id| is_plain_id(id));
            let provider_ids = id.map(|id| ("message_id".to_owned(), id.clone())).into_iter().collect();
            Judgement { provider_ids, misses_somebody: !taken.not_for.is_empty(), ..Judgement::new(outcome, reason) }
        }
        Err(error) => {
            let outcome = match error.kind {
                MailErrorKind::Transient => AttemptOutcome::Transient,
                MailErrorKind::Throttled => AttemptOutcome::Throttled,
                MailErrorKind::Denied => AttemptOutcome::Auth,
                MailErrorKind::Refused => AttemptOutcome::Permanent,
                MailErrorKind::NoAnswer => AttemptOutcome::Unknown,
            };
            Judgement::new(outcome, &error.reason)
        }
    }
}

/// What a provider calls a mail is stored and shown: nothing else may come in its place.
fn is_plain_id(id: &str) -> bool {
    id.len() <= 200 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c))
}

fn by_status(answer: &HttpAnswer) -> Judgement {
    let status = answer.status;
    let outcome = match status {
        200..=299 => AttemptOutcome::Succeeded,
        300..=399 => {
            return Judgement::new(AttemptOutcome::Permanent, format!("answered {status}: redirects are not followed"));
        }
        401 | 403 => AttemptOutcome::Auth,
        408 | 425 | 500.. => AttemptOutcome::Transient,
        410 => AttemptOutcome::Gone,
        429 => AttemptOutcome::Throttled,
        _ => AttemptOutcome::Permanent,
    };
    Judgement::new(outcome, format!("answered {status}"))
}

fn by_slack(answer: &HttpAnswer, slack: SlackAnswer) -> Judgement {
    let status = answer.status;
    match slack {
        SlackAnswer::Taken(provider_ids) => {
            Judgement { provider_ids, ..Judgement::new(AttemptOutcome::Succeeded, format!("answered {status} `ok`")) }
        }
        SlackAnswer::Code { code, outcome } => {
            Judgement { code: Some(code), ..Judgement::new(outcome, format!("answered {status} `{code}`")) }
        }
        SlackAnswer::Unrecognised => match by_status(answer) {
            // Only the body says whether the message stands, and it was lost.
            judgement if judgement.outcome == AttemptOutcome::Succeeded && answer.body_end == BodyEnd::Lost => {
                Judgement::new(AttemptOutcome::Unknown, format!("answered {status}, and the rest was lost"))
            }
            judgement if judgement.outcome == AttemptOutcome::Succeeded => {
                Judgement::new(AttemptOutcome::Permanent, format!("answered {status} without `ok`: it is not Slack"))
            }
            judgement => judgement,
        },
    }
}
