//! What Slack answers, on both of its ways in. Only codes known here are ever repeated.

use crate::http::HttpAnswer;
use mantissa_contracts::messages::AttemptOutcome;
use serde::Deserialize;
use std::collections::BTreeMap;

pub(super) enum SlackAnswer {
    /// Posted; with the channel and `ts` if Slack told them.
    Taken(BTreeMap<String, String>),
    Code {
        code: &'static str,
        outcome: AttemptOutcome,
    },
    Unrecognised,
}

#[derive(Deserialize)]
struct ApiAnswer {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

pub(super) fn read_webhook_answer(answer: &HttpAnswer) -> SlackAnswer {
    let body = answer.body.trim_ascii();
    if answer.status == 200 && body == b"ok" {
        return SlackAnswer::Taken(BTreeMap::new());
    }
    std::str::from_utf8(body).ok().and_then(known_code).unwrap_or(SlackAnswer::Unrecognised)
}

pub(super) fn read_api_answer(answer: &HttpAnswer) -> SlackAnswer {
    let Ok(api) = serde_json::from_slice::<ApiAnswer>(&answer.body) else {
        return SlackAnswer::Unrecognised;
    };
    if api.ok {
        if answer.status != 200 {
            return SlackAnswer::Unrecognised;
        }
        // Both are short tokens of Slack's own alphabet; anything else is not stored.
        let is_token =
            |text: &str| (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        let ids = [("channel", api.channel), ("ts", api.ts)];
        return SlackAnswer::Taken(
            ids.into_iter().filter(|(_, id)| is_token(id)).map(|(name, id)| (name.to_owned(), id)).collect(),
        );
    }
    known_code(&api.error).unwrap_or(match answer.status {
        200 => SlackAnswer::Code { code: "an error unknown here", outcome: AttemptOutcome::Permanent },
        _ => SlackAnswer::Unrecognised,
    })
}

fn known_code(text: &str) -> Option<SlackAnswer> {
    CODES.iter().find(|(code, _)| *code == text).map(|&(code, outcome)| SlackAnswer::Code { code, outcome })
}

const CODES: &[(&str, AttemptOutcome)] = &[
    ("ratelimited", AttemptOutcome::Throttled),
    ("rate_limited", AttemptOutcome::Throttled),
    ("no_service", AttemptOutcome::Gone),
    ("no_service_id", AttemptOutcome::Gone),
    ("no_active_hooks", AttemptOutcome::Gone),
    ("channel_is_archived", AttemptOutcome::Gone),
    ("is_archived", AttemptOutcome::Gone),
    ("invalid_token", AttemptOutcome::Auth),
    ("invalid_auth", AttemptOutcome::Auth),
    ("not_authed", AttemptOutcome::Auth),
    ("account_inactive", AttemptOutcome::Auth),
    ("token_revoked", AttemptOutcome::Auth),
    ("token_expired", AttemptOutcome::Auth),
    ("missing_scope", AttemptOutcome::Auth),
    ("no_permission", AttemptOutcome::Auth),
    ("action_prohibited", AttemptOutcome::Auth),
    ("posting_to_general_channel_denied", AttemptOutcome::Auth),
    ("not_in_channel", AttemptOutcome::Auth),
    ("internal_error", AttemptOutcome::Transient),
    ("fatal_error", AttemptOutcome::Transient),
    ("service_unavailable", AttemptOutcome::Transient),
    ("request_timeout", AttemptOutcome::Transient),
    ("rollup_error", AttemptOutcome::Transient),
    ("channel_not_found", AttemptOutcome::Permanent),
    ("user_not_found", AttemptOutcome::Permanent),
    ("no_team", AttemptOutcome::Permanent),
    ("team_disabled", AttemptOutcome::Permanent),
    ("invalid_payload", AttemptOutcome::Permanent),
    ("invalid_blocks", AttemptOutcome::Permanent),
    ("invalid_blocks_format", AttemptOutcome::Permanent),
    ("msg_blocks_too_long", AttemptOutcome::Permanent),
    ("msg_too_long", AttemptOutcome::Permanent),
    ("no_text", AttemptOutcome::Permanent),
    ("message_not_found", AttemptOutcome::Permanent),
    ("edit_window_closed", AttemptOutcome::Permanent),
    ("cant_update_message", AttemptOutcome::Permanent),
];
