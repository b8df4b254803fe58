//! The quarantine: what could not be read, one JSON object a line, with its place and reason.

use crate::{Error, IngestDeps};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::Instant;
use mantissa_lake::parse::{ObjectContext, Part, Quarantined};
use serde::{Deserialize, Serialize};

/// Keys are `quarantine/<table>/<object-id>-<part>.jsonl`.
pub const QUARANTINE_PREFIX: &str = "quarantine/";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineEntry {
    pub location: String,
    pub object_id: ObjectId,
    pub table: String,
    pub received_at: Instant,
    pub record_number: u64,
    /// Place in the decompressed object; the first line is 1.
    pub line: u64,
    pub byte_offset: u64,
    pub reason: String,
    /// The piece as text …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// … or in Base64, when it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
    /// How much of the piece is left out here.
    #[serde(default)]
    pub omitted_bytes: u64,
}

/// Every entry of the quarantine with the key of its file, sorted by key and place.
pub async fn list_quarantine(deps: &IngestDeps) -> Result<Vec<(String, Vec<QuarantineEntry>)>, Error> {
    let mut files = Vec::new();
    for object in deps.quarantine.list(QUARANTINE_PREFIX).await? {
        // Gone since it was listed: someone has ingested it again.
        let Some(content) = deps.quarantine.get(&object.key).await? else { continue };
        let mut entries = Vec::new();
        for (number, line) in content.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let entry = serde_json::from_slice(line).map_err(|source| Error::QuarantineFile {
                key: object.key.clone(),
                line: number + 1,
                source,
            })?;
            entries.push(entry);
        }
        files.push((object.key, entries));
    }
    Ok(files)
}

pub(crate) async fn write_quarantine(deps: &IngestDeps, context: &ObjectContext, part: &Part) -> Result<(), Error> {
    if part.quarantined.is_empty() {
        return Ok(());
    }
    let key = format!("{QUARANTINE_PREFIX}{}/{}-{:05}.jsonl", part.table.name, context.object_id, part.number);
    let mut lines = Vec::new();
    for quarantined in &part.quarantined {
        let entry = entry_of(context, part.table.name, quarantined);
        serde_json::to_writer(&mut lines, &entry)
            .map_err(|source| Error::QuarantineEntry { key: key.clone(), source })?;
        lines.push(b'\n');
    }
    Ok(deps.quarantine.put(&key, lines.into()).await?)
}

fn entry_of(context: &ObjectContext, table: &str, quarantined: &Quarantined) -> QuarantineEntry {
    // A piece that was cut in the middle of a character is still text.
    let (raw, raw_base64) = match std::str::from_utf8(&quarantined.raw) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(e) if quarantined.total_bytes > quarantined.raw.len() as u64 && e.error_len().is_none() => {
            (Some(String::from_utf8_lossy(&quarantined.raw[..e.valid_up_to()]).into_owned()), None)
        }
        Err(_) => (None, Some(STANDARD.encode(&quarantined.raw))),
    };
    let kept = raw.as_ref().map_or(quarantined.raw.len(), String::len) as u64;
    QuarantineEntry {
        location: context.location.clone(),
        object_id: context.object_id.clone(),
        table: table.to_owned(),
        received_at: context.received_at,
        record_number: quarantined.record_number,
        line: quarantined.line,
        byte_offset: quarantined.byte_offset,
        reason: quarantined.reason.clone(),
        raw,
        raw_base64,
        omitted_bytes: quarantined.total_bytes.saturating_sub(kept),
    }
}
