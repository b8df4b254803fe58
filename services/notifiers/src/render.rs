//! Stage 3: the message, on the highest rung of a ladder that it fits. A rendering that fails never loses an alert.

use crate::destinations::Endpoint;
use crate::error::RenderError;
use mantissa_contracts::messages::{AlertContext, AlertSnapshot, Intent};
use url::Url;

/// What is to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notification<'a> {
    pub(crate) alert: &'a AlertSnapshot,
    pub(crate) context: Option<&'a AlertContext>,
    pub(crate) intent: Intent,
    pub(crate) base_url: Option<&'a Url>,
}

/// How much of it, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rung {
    Full,
    WithoutOptional,
    Truncated,
    OneLine,
}

impl Rung {
    const LADDER: [Self; 4] = [Self::Full, Self::WithoutOptional, Self::Truncated, Self::OneLine];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::WithoutOptional => "without optional fields",
            Self::Truncated => "truncated",
            Self::OneLine => "one line",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) rung: Rung,
    /// JSON.
    pub(crate) body: Vec<u8>,
}

pub(crate) fn render(endpoint: &Endpoint, notification: &Notification<'_>) -> Result<Rendered, RenderError> {
    climb_down(|rung| endpoint.message(notification, rung))
}

fn climb_down(message: impl Fn(Rung) -> Result<Vec<u8>, RenderError>) -> Result<Rendered, RenderError> {
    let mut last = None;
    for rung in Rung::LADDER {
        match message(rung) {
            Ok(body) => return Ok(Rendered { rung, body }),
            Err(error) => {
                tracing::debug!(rung = rung.as_str(), "message does not fit: {error}");
                last = Some(error);
            }
        }
    }
    Err(last.unwrap_or(RenderError::TooLarge { what: "message", size: 0, limit: 0 }))
}

impl Notification<'_> {
    /// Built, not concatenated: the id is a path segment whatever it holds.
    pub(crate) fn link(&self) -> Option<Url> {
        let mut url = self.base_url?.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(["alerts", &self.alert.alert_id.to_string()]);
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_send::sample_alert;

    #[test]
    fn the_ladder_ends_at_the_first_rung_that_fits() {
        let too_large = || RenderError::TooLarge { what: "body", size: 2, limit: 1 };
        let rendered = climb_down(|rung| if rung == Rung::Truncated { Ok(vec![1]) } else { Err(too_large()) }).unwrap();
        assert_eq!((rendered.rung, rendered.body), (Rung::Truncated, vec![1]));
        assert!(climb_down(|_| Err(too_large())).is_err());
    }

    #[test]
    fn the_link_keeps_the_path_of_the_base_url() {
        let alert = sample_alert("2026-01-01T00:00:00Z".parse().unwrap());
        for base in ["https://siem.example.com/ui", "https://siem.example.com/ui/"] {
            let base = Url::parse(base).unwrap();
            let shown = Notification { alert: &alert, context: None, intent: Intent::Open, base_url: Some(&base) };
            let expected = format!("https://siem.example.com/ui/alerts/{}", alert.alert_id);
            assert_eq!(shown.link().unwrap().as_str(), expected);
        }
    }
}
