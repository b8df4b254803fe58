//! GuardDuty findings: S3 export lines, EventBridge envelopes, and the API's form with its capital names.

use super::event_times::parse_iso;
use super::frame::Place;
use super::json_record::JsonRecord;
use super::part::{PartBuilder, Record};
use std::borrow::Cow;

pub(crate) fn parse(text: &str, place: Place, part: &mut PartBuilder<'_>) -> Result<(), String> {
    let record = JsonRecord::read(text, part).map_err(|e| e.to_string())?;
    // An EventBridge envelope has an `id` and a `region` too, but not a finding's `type`.
    if record.text("type", part).is_none() {
        return if record.unwrap_with(place, part, parse) {
            Ok(())
        } else {
            Err("`type` is missing; a GuardDuty finding has one".to_owned())
        };
    }
    let id = record.text("id", part).ok_or("`id` is missing; a GuardDuty finding has one")?;
    let time = record.text("updatedAt", part).or_else(|| record.text("createdAt", part));
    let time = time.ok_or("`updatedAt` and `createdAt` are missing; a GuardDuty finding has them")?;
    let event_time_ms = parse_iso(&time)
        .ok_or_else(|| format!("`updatedAt` is `{}`, expected an ISO 8601 time", time.escape_debug()))?;
    // An updated finding is a new event: it may have become worse.
    let event_id = Some(Cow::Owned(format!("{id}:{time}")));
    let names = record.names;
    part.add(&Record { values: &record.values, event_id, event_time_ms: Some(event_time_ms), raw: text, names }, place);
    Ok(())
}
