//! `object_received` → the object is in the lake.

use crate::{IngestDeps, IngestReport, ingest_object};
use async_trait::async_trait;
use mantissa_contracts::Envelope;
use mantissa_contracts::messages::ObjectReceived;
use mantissa_contracts::time::Instant;
use mantissa_domain::system_alert::{self, SystemAlert};
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::Outgoing;
use mantissa_runtime::handler::trace_of;
use mantissa_runtime::metrics::Metrics;
use mantissa_runtime::{Handled, Handler};
use std::sync::Arc;
use tracing::{info, warn};

pub struct IngestHandler {
    pub deps: IngestDeps,
    pub metrics: Arc<Metrics>,
}

#[async_trait]
impl Handler for IngestHandler {
    type Message = ObjectReceived;

    async fn handle(&self, envelope: &Envelope<ObjectReceived>) -> Handled {
        let report = ingest_object(&self.deps, &envelope.data, &|_| ()).await?;
        log(&report);
        self.measure(&report, envelope.data.received_at);
        self.system_alert(&report, envelope)
    }

    /// Objects are large: of those received together, only some are read at a time.
    async fn handle_batch(&self, batch: &[Envelope<ObjectReceived>]) -> Vec<Handled> {
        let mut handled = Vec::with_capacity(batch.len());
        for chunk in batch.chunks(self.deps.config.n_concurrent.max(1)) {
            let started = chunk
                .iter()
                .map(|envelope| mantissa_runtime::trace_context::within(trace_of(envelope), self.handle(envelope)));
            handled.extend(futures::future::join_all(started).await);
        }
        handled
    }
}

impl IngestHandler {
    fn measure(&self, report: &IngestReport, received_at: Instant) {
        let Some(table) = catalogue().table(report.table).filter(|_| !report.duplicate) else { return };
        let labels = [("source", table.log_source.as_str())];
        let count = |name, help, n| self.metrics.count(name, help, &labels, n);
        count("mantissa_ingest_records_total", "records in the lake", report.n_records);
        count("mantissa_ingest_quarantined_total", "records in the quarantine", report.n_quarantined);
        count("mantissa_ingest_bytes_total", "bytes of raw logs, decompressed", report.raw_bytes);
        let lag = (self.deps.clock.now() - received_at).as_seconds_f64();
        self.metrics.set(
            "mantissa_ingest_lag_seconds",
            "from an object's arrival to its place in the lake",
            &labels,
            lag,
        );
    }

    /// A replay of the object says the same again, as the same match.
    fn system_alert(&self, report: &IngestReport, envelope: &Envelope<ObjectReceived>) -> Handled {
        if report.n_quarantined == 0 {
            return Ok(Vec::new());
        }
        let reasons: Vec<_> = report.reasons.iter().map(|(reason, n)| format!("{n} × {reason}")).collect();
        let total = report.n_records + report.n_quarantined;
        let detail =
            format!("{} of {total} records of `{}`: {}", report.n_quarantined, report.location, reasons.join("; "));
        let alert = system_alert::rule_matched(
            SystemAlert::RecordsQuarantined,
            report.table,
            report.object_id.as_str(),
            &detail,
            envelope.data.received_at,
        );
        let envelope = Envelope::new("ingest", self.deps.clock.now(), trace_of(envelope), alert);
        Ok(vec![Outgoing::new(&envelope)?])
    }
}

fn log(report: &IngestReport) {
    let (location, n_records) = (&report.location, report.n_records);
    if report.duplicate {
        info!(object.id = %report.object_id, object.location = %location, "object `{location}` was ingested before");
        return;
    }
    if report.n_future > 0 {
        warn!(
            object.id = %report.object_id, object.location = %location,
            "{} records of `{location}` happened after they were received: a clock is wrong", report.n_future
        );
    }
    if report.n_quarantined > 0 {
        warn!(
            object.id = %report.object_id, object.location = %location,
            "ingested {n_records} records of `{location}` into {}, quarantined {}", report.table, report.n_quarantined
        );
    } else {
        info!(
            object.id = %report.object_id, object.location = %location,
            "ingested {n_records} records of `{location}` into {}", report.table
        );
    }
}
