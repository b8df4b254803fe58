use super::*;
use mantissa_contracts::messages::AttemptOutcome;
use mantissa_contracts::messages::AttemptOutcome::{Auth, Gone, Permanent, Succeeded, Throttled, Transient, Unknown};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

fn answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer { status, headers: HeaderMap::new(), body: body.into(), body_end: BodyEnd::Complete }
}

fn now() -> Instant {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn judge(style: AnswerStyle, answer: HttpAnswer) -> Judgement {
    classify(style, &Ok(answer), now())
}

#[test]
fn every_destination_agrees_on_what_a_status_means() {
    for style in [AnswerStyle::Status, AnswerStyle::SlackWebhook, AnswerStyle::SlackApi] {
        for (status, outcome) in [
            (301, Permanent),
            (302, Permanent),
            (307, Permanent),
            (400, Permanent),
            (404, Permanent),
            (413, Permanent),
            (401, Auth),
            (403, Auth),
            (408, Transient),
            (425, Transient),
            (500, Transient),
            (502, Transient),
            (503, Transient),
            (504, Transient),
            (599, Transient),
            (410, Gone),
            (429, Throttled),
        ] {
            let judgement = judge(style, answer(status, "<html>"));
            assert_eq!((judgement.outcome, judgement.http_status), (outcome, Some(status)), "{style:?} {status}");
        }
    }
}

#[test]
fn failures_to_send_are_told_apart_by_what_was_sent() {
    let reason = "x".to_owned();
    for (failure, outcome) in [
        (SendFailure::Refused { reason: reason.clone() }, Permanent),
        (SendFailure::NotSent { reason: reason.clone() }, Transient),
        (SendFailure::NoAnswer { reason }, Unknown),
    ] {
        assert_eq!(classify(AnswerStyle::Status, &Err(failure), now()).outcome, outcome);
    }
}

#[test]
fn a_webhook_takes_with_any_2xx_whatever_the_body() {
    for status in [200, 201, 202, 204, 299] {
        for body_end in [BodyEnd::Complete, BodyEnd::CutByUs, BodyEnd::Lost] {
            let judgement = judge(AnswerStyle::Status, HttpAnswer { body_end, ..answer(status, "no") });
            assert_eq!(judgement.outcome, Succeeded);
        }
    }
}

#[test]
fn a_slack_webhook_takes_with_ok_only() {
    let style = AnswerStyle::SlackWebhook;
    assert_eq!(judge(style, answer(200, "ok")).outcome, Succeeded);
    assert_eq!(judge(style, answer(200, "ok\n")).outcome, Succeeded);
    assert_eq!(judge(style, answer(200, "<html>ok</html>")).outcome, Permanent);
    assert_eq!(judge(style, answer(200, "")).outcome, Permanent);
    assert_eq!(judge(style, HttpAnswer { body_end: BodyEnd::Lost, ..answer(200, "o") }).outcome, Unknown);
    assert_eq!(judge(style, HttpAnswer { body_end: BodyEnd::CutByUs, ..answer(200, "okokok") }).outcome, Permanent);
}

#[test]
fn codes_of_slack_say_more_than_the_status() {
    for (status, code, outcome) in [
        (404, "no_service", Gone),
        (404, "channel_is_archived", Gone),
        (410, "channel_is_archived", Gone),
        (200, "ratelimited", Throttled),
        (403, "invalid_token", Auth),
        (404, "channel_not_found", Permanent),
        (500, "rollup_error", Transient),
        (400, "invalid_blocks", Permanent),
    ] {
        assert_eq!(judge(AnswerStyle::SlackWebhook, answer(status, code)).outcome, outcome, "{code}");
        let api = answer(200, &format!(r#"{{"ok":false,"error":"{code}"}}"#));
        assert_eq!(judge(AnswerStyle::SlackApi, api).outcome, outcome, "{code}");
    }
}

#[test]
fn the_slack_api_takes_with_ok_and_tells_channel_and_ts() {
    let judgement = judge(AnswerStyle::SlackApi, answer(200, r#"{"ok":true,"channel":"C1","ts":"1.2"}"#));
    assert_eq!(judgement.outcome, Succeeded);
    assert_eq!(judgement.provider_ids["channel"], "C1");
    assert_eq!(judgement.provider_ids["ts"], "1.2");
    let unknown_code = judge(AnswerStyle::SlackApi, answer(200, r#"{"ok":false,"error":"s3cret"}"#));
    assert_eq!(unknown_code.outcome, Permanent);
    assert!(!unknown_code.reason.contains("s3cret"));
    let odd_ts = judge(AnswerStyle::SlackApi, answer(200, r#"{"ok":true,"channel":"C1","ts":"<x>"}"#));
    assert!(!odd_ts.provider_ids.contains_key("ts"));
}

#[test]
fn retry_after_is_kept_exactly_with_a_floor_of_a_second() {
    for (status, value, outcome, wait) in [
        (429, "30", Throttled, Some(30)),
        (429, "0", Throttled, Some(1)),
        (429, "Thu, 01 Jan 2026 00:02:00 GMT", Throttled, Some(120)),
        (429, "soon", Throttled, None),
        (503, "7", Throttled, Some(7)),
        (503, "soon", Transient, None),
        (500, "7", Transient, None),
        (404, "7", Permanent, None),
    ] {
        let mut answer = answer(status, "");
        answer.headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        let judgement = judge(AnswerStyle::Status, answer);
        assert_eq!(judgement.outcome, outcome, "{status} {value}");
        assert_eq!(judgement.told_wait.map(|wait| wait.as_secs()), wait, "{status} {value}");
    }
}

#[test]
fn what_became_of_a_mail_is_judged_like_any_answer() {
    for (kind, outcome) in [
        (MailErrorKind::Transient, AttemptOutcome::Transient),
        (MailErrorKind::Throttled, AttemptOutcome::Throttled),
        (MailErrorKind::Denied, AttemptOutcome::Auth),
        (MailErrorKind::Refused, AttemptOutcome::Permanent),
        (MailErrorKind::NoAnswer, AttemptOutcome::Unknown),
    ] {
        let judgement = classify_mail(&Err(MailError::new(kind, "the relay answered 421")), 1);
        assert_eq!((judgement.outcome, judgement.reason.as_str()), (outcome, "the relay answered 421"));
    }
    let taken = |provider_id: &str, not_for: &[&str]| TakenMail {
        provider_id: Some(provider_id.to_owned()),
        not_for: not_for.iter().map(|address| (*address).to_owned()).collect(),
        not_yet_for: Vec::new(),
    };
    let judgement = classify_mail(&Ok(taken("0100-ab@eu.amazonses.com", &["a@b.c"])), 3);
    assert_eq!(judgement.outcome, AttemptOutcome::Succeeded);
    assert_eq!(judgement.reason, "the mail was taken, but not for 1 of 3 addresses: a@b.c");
    assert_eq!(judgement.provider_ids["message_id"], "0100-ab@eu.amazonses.com");
    assert!(classify_mail(&Ok(taken("<script>", &[])), 3).provider_ids.is_empty());
}
