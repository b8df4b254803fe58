//! Times as logs write them.

use chrono::{DateTime, NaiveDateTime};

/// The last millisecond of `EVENT_YEARS`, whose first is 0.
const MAX_MS: i64 = 4_102_444_799_999;

/// ISO 8601 → Unix milliseconds. A time without a zone is UTC.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || !bytes[0].is_ascii_digit() || bytes[4] != b'-' {
        return None;
    }
    let with_zone = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f %z"));
    let ms = match with_zone {
        Ok(time) => time.timestamp_millis(),
        Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"))
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S,%3f"))
            .ok()?
            .and_utc()
            .timestamp_millis(),
    };
    in_range(ms)
}

/// Unix seconds, milliseconds, microseconds or nanoseconds, told apart by their size.
pub(crate) fn parse_unix(number: f64) -> Option<i64> {
    if !number.is_finite() || number <= 0.0 {
        return None;
    }
    let ms = match number {
        n if n < 1e11 => n * 1e3,
        n if n < 1e14 => n,
        n if n < 1e17 => n / 1e3,
        n => n / 1e6,
    };
    in_range(ms as i64)
}

pub(crate) fn in_range(ms: i64) -> Option<i64> {
    (0..=MAX_MS).contains(&ms).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::EVENT_YEARS;

    #[test]
    fn the_last_instant_is_the_last_of_the_lakes_years() {
        let last = format!("{}-12-31T23:59:59.999Z", EVENT_YEARS.end());
        assert_eq!(parse_iso(&last), Some(MAX_MS));
        assert_eq!(in_range(MAX_MS + 1), None);
        assert_eq!(parse_iso(&format!("{}-01-01T00:00:00Z", EVENT_YEARS.start())), Some(0));
    }
}
