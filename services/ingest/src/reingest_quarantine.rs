//! Reads what was quarantined again: after a parser has learned something, or with another source.
//!
//! The original object is read, and of it only the pieces that are in the quarantine. An object that is gone, or holds
//! something else now, stays in the quarantine, and the report says so.

use crate::ingest_object::ingest_parts;
use crate::read_parts::hash_object;
use crate::write_quarantine::list_quarantine;
use crate::{Error, IngestDeps, IngestReport, QuarantineEntry};
use mantissa_contracts::ids::ObjectId;
use mantissa_lake::catalogue::{LogSource, catalogue};
use mantissa_lake::parse::ObjectContext;
use mantissa_ports::PortErrorKind;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReingestReport {
    /// Pieces that became records.
    pub n_records: u64,
    /// Pieces that are in the quarantine still, or again.
    pub n_quarantined: u64,
    /// Objects that could not be read again, with the reason; their entries stay.
    pub unreadable: BTreeMap<String, String>,
}

/// Tries every piece in the quarantine again; with `source`, as logs of that source instead of the one they were taken for.
pub async fn reingest_quarantine(deps: &IngestDeps, source: Option<LogSource>) -> Result<ReingestReport, Error> {
    let mut report = ReingestReport::default();
    for (key, entries) in list_quarantine(deps).await? {
        let Some(first) = entries.first() else { continue };
        match reingest_file(deps, &key, &entries, source).await {
            Ok(Ok(again)) => {
                report.n_records += again.n_records;
                report.n_quarantined += again.n_quarantined;
                deps.quarantine.delete(&key).await?;
            }
            Ok(Err(reason)) => {
                report.n_quarantined += entries.len() as u64;
                report.unreadable.insert(first.location.clone(), reason);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(report)
}

/// `Err` in `Ok` when the original cannot be read again.
async fn reingest_file(
    deps: &IngestDeps,
    key: &str,
    entries: &[QuarantineEntry],
    source: Option<LogSource>,
) -> Result<Result<IngestReport, String>, Error> {
    let first = &entries[0];
    let object = match hash_object(deps, &first.location).await {
        Ok(object) => object,
        Err(Error::Port(e)) if e.kind == PortErrorKind::Permanent => return Ok(Err(e.to_string())),
        Err(e) => return Err(e),
    };
    if object.object_id.as_str() != original_of(&first.object_id) {
        return Ok(Err("its content has changed since it was quarantined".to_owned()));
    }
    let taken_for = catalogue().table(&first.table).map(|table| table.log_source);
    let context = ObjectContext {
        object_id: again_id(&object.object_id, key),
        location: first.location.clone(),
        received_at: first.received_at,
        source: source.or(taken_for),
        only_offsets: Some(entries.iter().map(|entry| entry.byte_offset).collect()),
    };
    ingest_parts(deps, object, context, &|_| ()).await.map(Ok)
}

/// Each round has parts of its own, named after the quarantine file it reads: a round that died is done again under the
/// same id, and the next round, which reads the file this one writes, has another.
fn again_id(original: &ObjectId, key: &str) -> ObjectId {
    let digest = Sha256::digest(key);
    let round: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    ObjectId::new(format!("{original}.{round}"))
}

fn original_of(object_id: &ObjectId) -> &str {
    object_id.as_str().split('.').next().unwrap_or_default()
}
