//! What can go wrong in the API.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use mantissa_ports::PortError;
use serde_json::json;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("alert `{0}` is not in the store")]
    AlertMissing(String),
    #[error("`{0}` is not an alert id")]
    BadAlertId(String),
    #[error("alert `{0}` keeps changing, try again")]
    Contended(String),
    #[error("render page: {0}")]
    Render(#[from] minijinja::Error),
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Port(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Port(_) | Self::Render(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::AlertMissing(_) => StatusCode::NOT_FOUND,
            Self::BadAlertId(_) => StatusCode::BAD_REQUEST,
            Self::Contended(_) => StatusCode::CONFLICT,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = json!({
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.to_string(),
            "retryable": matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT),
        });
        (status, [(header::CONTENT_TYPE, "application/problem+json")], problem.to_string()).into_response()
    }
}
