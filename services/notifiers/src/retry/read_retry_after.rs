//! `Retry-After`: seconds, or one of the three forms of an HTTP date.

use chrono::{DateTime, NaiveDateTime};
use mantissa_contracts::time::Instant;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// No receiver means more, and dates do not overflow.
const WAIT_CEILING: Duration = Duration::from_secs(30 * 24 * 3600);

/// `None` when the header is missing or makes no sense. A date in the past is no wait.
pub(super) fn read_retry_after(headers: &HeaderMap, now: Instant) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        (parse_http_date(text)? - now).to_std().unwrap_or_default()
    };
    Some(wait.min(WAIT_CEILING))
}

fn parse_http_date(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc2822(text)
        .map(|date| date.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%A, %d-%b-%y %H:%M:%S GMT").map(|date| date.and_utc()))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%a %b %e %H:%M:%S %Y").map(|date| date.and_utc()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn read(value: &str) -> Option<u64> {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).unwrap())]);
        read_retry_after(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_every_form_of_date_are_read() {
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("0"), Some(0));
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(read(date), Some(30), "{date}");
        }
    }

    #[test]
    fn a_date_in_the_past_is_no_wait_and_an_absurd_one_is_capped() {
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(read("99999999999999999999999"), Some(30 * 24 * 3600));
    }

    #[test]
    fn nonsense_is_ignored() {
        for nonsense in ["", "soon", "-5", "1.5", "12 s"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
