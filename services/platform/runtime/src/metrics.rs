//! Counters and gauges in the Prometheus text format.
//!
//! Names are `mantissa_<noun>_<unit>_total`; labels are few and bounded (a queue, a service, a reason), never ids.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

#[derive(Debug)]
struct Family {
    kind: Kind,
    help: &'static str,
    values: BTreeMap<Labels, Held>,
}

#[derive(Debug, Default)]
struct Held {
    now: f64,
    /// The most a gauge was set to.
    most: Option<f64>,
}

/// What a counter was raised by, or the most a gauge was set to, since it was taken last.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub name: &'static str,
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

/// The process's metrics. Cheap to share; every stage counts into the same one.
#[derive(Debug, Default)]
pub struct Metrics {
    families: Mutex<BTreeMap<&'static str, Family>>,
}

impl Metrics {
    /// Adds to a counter.
    pub fn count(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)], n: u64) {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
        let n = n as f64;
        self.change(name, help, Kind::Counter, labels, |held| held.now += n);
    }

    /// Sets a gauge.
    pub fn set(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)], value: f64) {
        self.change(name, help, Kind::Gauge, labels, |held| {
            *held = Held { now: value, most: Some(held.most.map_or(value, |most| most.max(value))) };
        });
    }

    fn change(
        &self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        labels: &[(&'static str, &str)],
        change: impl FnOnce(&mut Held),
    ) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let mut families = self.families();
        let family = families.entry(name).or_insert_with(|| Family { kind, help, values: BTreeMap::new() });
        change(family.values.entry(labels).or_default());
    }

    /// Takes out what was measured, for a process that reports each measurement and not how much it ever did.
    pub fn take(&self) -> Vec<Measured> {
        let families = std::mem::take(&mut *self.families());
        let measured = families.into_iter().flat_map(|(name, family)| {
            let measured =
                move |(labels, held): (Labels, Held)| Measured { name, labels, value: held.most.unwrap_or(held.now) };
            family.values.into_iter().map(measured)
        });
        measured.collect()
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        // A number half-updated by a panicking thread is still a number.
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text of `/metrics`.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.families().iter() {
            let kind = if family.kind == Kind::Counter { "counter" } else { "gauge" };
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
            for (labels, Held { now: value, .. }) in &family.values {
                let labels: Vec<String> =
                    labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escape(value))).collect();
                let _ = match labels.is_empty() {
                    true => writeln!(text, "{name} {value}"),
                    false => writeln!(text, "{name}{{{}}} {value}", labels.join(",")),
                };
            }
        }
        text
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_that_a_gauge_was_set_to_is_taken_and_the_last_is_rendered() {
        let metrics = Metrics::default();
        for lag in [2.0, 9.0, 1.0] {
            metrics.set("mantissa_ingest_lag_seconds", "lag", &[], lag);
        }
        assert!(metrics.render().ends_with("mantissa_ingest_lag_seconds 1\n"));
        let values = |metrics: &Metrics| metrics.take().iter().map(|measured| measured.value).collect::<Vec<_>>();
        assert_eq!(values(&metrics), [9.0]);
        metrics.set("mantissa_ingest_lag_seconds", "lag", &[], -1.0);
        assert_eq!(values(&metrics), [-1.0]);
        assert!(values(&metrics).is_empty());
    }

    #[test]
    fn renders_the_prometheus_text_format() {
        let metrics = Metrics::default();
        metrics.count("mantissa_messages_handled_total", "messages handled", &[("queue", "a\"b")], 2);
        metrics.count("mantissa_messages_handled_total", "messages handled", &[("queue", "a\"b")], 1);
        metrics.set("mantissa_queue_depth", "messages waiting", &[], 0.5);
        assert_eq!(
            metrics.render(),
            "# HELP mantissa_messages_handled_total messages handled\n\
             # TYPE mantissa_messages_handled_total counter\n\
             mantissa_messages_handled_total{queue=\"a\\\"b\"} 3\n\
             # HELP mantissa_queue_depth messages waiting\n# TYPE mantissa_queue_depth gauge\n\
             mantissa_queue_depth 0.5\n"
        );
    }
}
