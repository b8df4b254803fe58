//! The request to a webhook: the exact bytes that were signed.

use super::WebhookEndpoint;
use super::sign::sign_with_all;
use crate::destinations::Sending;
use crate::http::HttpRequest;
use crate::retry::{AnswerStyle, Judgement, classify};
use bytes::Bytes;
use mantissa_contracts::messages::AttemptOutcome;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

impl WebhookEndpoint {
    pub(crate) async fn send(&self, body: &[u8], sending: &Sending<'_>) -> Judgement {
        let id = sending.delivery_id.to_string();
        let timestamp = sending.now.timestamp();
        let signatures = sign_with_all(&self.keys, &id, timestamp, body);
        let Some(headers) = self.headers_with(&id, timestamp, &signatures) else {
            return Judgement::new(AttemptOutcome::Permanent, "the signature cannot be sent as a header");
        };
        let request = HttpRequest { url: self.url.clone(), headers, body: Bytes::copy_from_slice(body) };
        classify(AnswerStyle::Status, &sending.http.post(request).await, sending.now)
    }

    fn headers_with(&self, id: &str, timestamp: i64, signatures: &str) -> Option<HeaderMap> {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("webhook-id", HeaderValue::from_str(id).ok()?);
        headers.insert("webhook-timestamp", HeaderValue::from(timestamp));
        headers.insert("webhook-signature", HeaderValue::from_str(signatures).ok()?);
        Some(headers)
    }
}
