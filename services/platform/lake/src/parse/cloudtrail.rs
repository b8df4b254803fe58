//! CloudTrail records: delivery files, one a line, EventBridge envelopes, Insight and service events.

use super::event_times::parse_iso;
use super::frame::Place;
use super::json_record::JsonRecord;
use super::part::{PartBuilder, Record};

pub(crate) fn parse(text: &str, place: Place, part: &mut PartBuilder<'_>) -> Result<(), String> {
    let record = JsonRecord::read(text, part).map_err(|e| e.to_string())?;
    let event_time = record.text("eventTime", part);
    let Some(event_time) = event_time else {
        return if record.unwrap_with(place, part, parse) {
            Ok(())
        } else {
            Err("`eventTime` is missing; a CloudTrail record has one".to_owned())
        };
    };
    // Insight records have no eventName, and records of partners no eventVersion.
    if !["eventID", "eventName", "eventType", "eventSource"].iter().any(|field| record.text(field, part).is_some()) {
        return Err("not a CloudTrail record: no `eventID`, `eventName`, `eventType` or `eventSource`".to_owned());
    }
    let event_time_ms = parse_iso(&event_time)
        .ok_or_else(|| format!("`eventTime` is `{}`, expected an ISO 8601 time", event_time.escape_debug()))?;
    let event_id = record.text("eventID", part);
    part.add(
        &Record {
            values: &record.values,
            event_id,
            event_time_ms: Some(event_time_ms),
            raw: text,
            names: crate::json_text::Names::AsDelivered,
        },
        place,
    );
    Ok(())
}
