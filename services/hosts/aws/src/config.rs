//! What a function's environment says: the resources it was deployed with. `pulumi/` writes it.

use anyhow::{Context as _, bail};
use mantissa_contracts::topology::dlq_name;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The queues a function reads or writes. Their addresses begin alike, and in full they would not fit into an environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueLocations {
    base: String,
    pub names: Vec<String>,
}

impl QueueLocations {
    /// Where a queue and its DLQ are; `None` where the function has no right to it.
    pub fn of(&self, name: &str) -> Option<(String, String)> {
        let at = |name: &str| format!("{}{name}", self.base);
        self.names.iter().any(|known| known == name).then(|| (at(name), at(&dlq_name(name))))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AthenaLocation {
    pub workgroup: String,
    pub database: String,
}

/// What is not set, the function has no right to.
#[derive(Debug, Clone, Default)]
pub struct FunctionConfig {
    /// As `functions.rs` names it.
    pub function: String,
    table_prefix: Option<String>,
    pub queues: QueueLocations,
    /// ARNs.
    pub topics: BTreeMap<String, String>,
    lake_bucket: Option<String>,
    /// `s3://bucket/key` of the archive with `mantissa.toml` and the rules.
    configuration: Option<String>,
    athena: Option<AthenaLocation>,
    secret_prefix: Option<String>,
    /// Its name.
    event_bus: Option<String>,
    pub log_filter: String,
    pub otlp_endpoint: Option<String>,
    /// The secret with what the collector wants to be told with every export.
    pub otlp_headers_secret: Option<String>,
    /// Where alarms and dashboards look.
    pub metric_namespace: String,
    /// Names this execution environment among those of the function.
    pub log_stream: Option<String>,
}

impl FunctionConfig {
    #[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the environment")]
    pub fn of_process() -> anyhow::Result<Self> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            function: set("MANTISSA_FUNCTION").context("MANTISSA_FUNCTION is not set")?,
            table_prefix: set("MANTISSA_TABLE_PREFIX"),
            queues: json("MANTISSA_QUEUES", set("MANTISSA_QUEUES"))?.unwrap_or_default(),
            topics: json("MANTISSA_TOPICS", set("MANTISSA_TOPICS"))?.unwrap_or_default(),
            lake_bucket: set("MANTISSA_LAKE_BUCKET"),
            configuration: set("MANTISSA_CONFIGURATION"),
            athena: json("MANTISSA_ATHENA", set("MANTISSA_ATHENA"))?,
            secret_prefix: set("MANTISSA_SECRET_PREFIX"),
            event_bus: set("MANTISSA_EVENT_BUS"),
            log_filter: set("MANTISSA_LOG").unwrap_or_else(|| "info".to_owned()),
            otlp_endpoint: set("MANTISSA_OTLP_ENDPOINT"),
            otlp_headers_secret: set("MANTISSA_OTLP_HEADERS_SECRET"),
            metric_namespace: set("MANTISSA_METRIC_NAMESPACE").unwrap_or_else(|| "Mantissa".to_owned()),
            log_stream: set("AWS_LAMBDA_LOG_STREAM_NAME"),
        })
    }

    pub fn table_prefix(&self) -> anyhow::Result<&str> {
        self.needed("MANTISSA_TABLE_PREFIX", self.table_prefix.as_deref())
    }

    pub fn lake_bucket(&self) -> anyhow::Result<&str> {
        self.needed("MANTISSA_LAKE_BUCKET", self.lake_bucket.as_deref())
    }

    pub fn athena(&self) -> anyhow::Result<&AthenaLocation> {
        self.needed("MANTISSA_ATHENA", self.athena.as_ref())
    }

    pub fn secret_prefix(&self) -> anyhow::Result<&str> {
        self.needed("MANTISSA_SECRET_PREFIX", self.secret_prefix.as_deref())
    }

    pub fn event_bus(&self) -> anyhow::Result<&str> {
        self.needed("MANTISSA_EVENT_BUS", self.event_bus.as_deref())
    }

    /// Bucket and key.
    pub fn configuration(&self) -> anyhow::Result<(&str, &str)> {
        let location = self.needed("MANTISSA_CONFIGURATION", self.configuration.as_deref())?;
        match location.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok((bucket, key)),
            _ => bail!("MANTISSA_CONFIGURATION is `{location}`, expected `s3://bucket/key`"),
        }
    }

    fn needed<'a, T: ?Sized>(&self, name: &str, value: Option<&'a T>) -> anyhow::Result<&'a T> {
        value.with_context(|| format!("{name} is not set: function `{}` needs it", self.function))
    }
}

fn json<T: DeserializeOwned>(name: &str, value: Option<String>) -> anyhow::Result<Option<T>> {
    value.map(|text| serde_json::from_str(&text).with_context(|| format!("{name} is not valid"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> anyhow::Result<FunctionConfig> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        FunctionConfig::read(|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        assert_eq!(read(&[]).unwrap_err().to_string(), "MANTISSA_FUNCTION is not set");
        let error = read(&[("MANTISSA_FUNCTION", "dedup"), ("MANTISSA_QUEUES", "{\"base\":1}")]).unwrap_err();
        assert!(format!("{error:#}").starts_with("MANTISSA_QUEUES is not valid: invalid type"), "{error:#}");
        let config = read(&[("MANTISSA_FUNCTION", "dedup"), ("MANTISSA_LAKE_BUCKET", "")]).unwrap();
        assert_eq!(
            config.lake_bucket().unwrap_err().to_string(),
            "MANTISSA_LAKE_BUCKET is not set: function `dedup` needs it"
        );
    }

    #[test]
    fn queue_and_dlq_are_found_by_name() {
        let queues = "{\"base\":\"https://sqs.example/1/mantissa-dev-\",\"names\":[\"a\"]}";
        let config = read(&[("MANTISSA_FUNCTION", "dedup"), ("MANTISSA_QUEUES", queues)]).unwrap();
        let at = |name: &str| format!("https://sqs.example/1/mantissa-dev-{name}");
        assert_eq!(config.queues.of("a"), Some((at("a"), at("a-dlq"))));
        assert_eq!(config.queues.of("b"), None);
    }

    #[test]
    fn configuration_is_a_bucket_and_a_key() {
        let at = |location| read(&[("MANTISSA_FUNCTION", "configure"), ("MANTISSA_CONFIGURATION", location)]).unwrap();
        assert_eq!(at("s3://b/c/d.zip").configuration().unwrap(), ("b", "c/d.zip"));
        assert!(at("b/c").configuration().is_err());
        assert!(at("s3://b/").configuration().is_err());
    }
}
