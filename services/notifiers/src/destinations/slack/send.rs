//! The requests to Slack.

use super::SlackEndpoint;
use super::config::Access;
use crate::destinations::Sending;
use crate::http::HttpRequest;
use crate::retry::{AnswerStyle, Judgement, classify};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use url::Url;

/// The message to be changed is not there or may not be changed: a new one takes its place.
const POST_ANEW: &[&str] = &["message_not_found", "edit_window_closed", "cant_update_message"];

impl SlackEndpoint {
    pub(crate) async fn send(&self, body: &[u8], sending: &Sending<'_>) -> Judgement {
        match &self.access {
            Access::Webhook { url } => post(sending, url, None, body, AnswerStyle::SlackWebhook).await,
            Access::Api { post_url, update_url, authorization, .. } => {
                if let Some(changed) = as_update(body, sending) {
                    let judgement =
                        post(sending, update_url, Some(authorization), &changed, AnswerStyle::SlackApi).await;
                    if !judgement.code.is_some_and(|code| POST_ANEW.contains(&code)) {
                        return judgement;
                    }
                }
                post(sending, post_url, Some(authorization), body, AnswerStyle::SlackApi).await
            }
        }
    }
}

/// The message as a change of the one that was posted for this alert, if one was.
fn as_update(body: &[u8], sending: &Sending<'_>) -> Option<Vec<u8>> {
    let (channel, ts) = (sending.earlier_ids.get("channel")?, sending.earlier_ids.get("ts")?);
    let mut message: Map<String, Value> = serde_json::from_slice(body).ok()?;
    message.insert("channel".to_owned(), Value::String(channel.clone()));
    message.insert("ts".to_owned(), Value::String(ts.clone()));
    serde_json::to_vec(&message).ok()
}

async fn post(
    sending: &Sending<'_>,
    url: &Url,
    authorization: Option<&HeaderValue>,
    body: &[u8],
    style: AnswerStyle,
) -> Judgement {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if let Some(authorization) = authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    let request = HttpRequest { url: url.clone(), headers, body: Bytes::copy_from_slice(body) };
    classify(style, &sending.http.post(request).await, sending.now)
}
