//! `mantissa.toml`: read, checked, explained.

use crate::exit::bad_input;
use anyhow::Context as _;
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::DestinationType;
use mantissa_domain::matchers::Matcher;
use mantissa_domain::routing::Route;
use mantissa_enrichment::RoutingConfig;
use mantissa_ports::stores::Destination;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What `mantissa config init` writes.
pub(crate) const TEMPLATE: &str = include_str!("mantissa.toml");

const DEFAULT_PATH: &str = "mantissa.toml";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) rules: Rules,
    pub(crate) ingest: Ingest,
    pub(crate) query: Query,
    pub(crate) scheduler: Scheduler,
    pub(crate) delivery: Delivery,
    pub(crate) enrichment: Enrichment,
    pub(crate) log: Log,
    pub(crate) telemetry: Telemetry,
    pub(crate) routing: Routing,
    pub(crate) destinations: Vec<DestinationEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) bind: SocketAddr,
    /// Where people reach the server; links in notifications start with it.
    pub(crate) public_url: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self { bind: SocketAddr::from(([127, 0, 0, 1], 7373)), public_url: None }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) paths: Vec<PathBuf>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { paths: vec![PathBuf::from("rules")] }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ingest {
    pub(crate) watch: Vec<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Query {
    pub(crate) memory_limit_mb: usize,
    pub(crate) timeout_s: u64,
    pub(crate) max_rows: u64,
    pub(crate) concurrent: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self { memory_limit_mb: 1024, timeout_s: 600, max_rows: 100_000, concurrent: 2 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Scheduler {
    pub(crate) tick_ms: u64,
    pub(crate) settle_ms: u64,
    /// Overrides every rule's interval; for tests and demonstrations.
    pub(crate) every_s: Option<u64>,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self { tick_ms: 1000, settle_ms: 5000, every_s: None }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) allow_loopback: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Enrichment {
    pub(crate) assets: Option<PathBuf>,
    pub(crate) maxmind: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Telemetry {
    /// Where traces go, as OTLP over HTTP; without it none are recorded.
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) otlp_headers_secret: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Routing {
    pub(crate) default: Vec<String>,
    pub(crate) routes: Vec<RouteEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteEntry {
    pub(crate) name: String,
    #[serde(default, rename = "match")]
    pub(crate) matchers: Vec<String>,
    #[serde(default)]
    pub(crate) destinations: Vec<String>,
    #[serde(default, rename = "continue")]
    pub(crate) continues: bool,
    #[serde(default)]
    pub(crate) routes: Vec<RouteEntry>,
}

/// Settings beside `id`, `type` and `enabled` are what the destination's type defines.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DestinationEntry {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) destination_type: DestinationType,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    #[serde(flatten)]
    pub(crate) settings: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

impl Config {
    /// Reads the named file; without a name, `mantissa.toml` where there is one, else the defaults.
    pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let path = match path {
            Some(path) => path,
            None if Path::new(DEFAULT_PATH).is_file() => Path::new(DEFAULT_PATH),
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path).map_err(|e| bad_input(format!("{}: {e}", path.display())))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text).map_err(|e| bad_input(e.to_string()))?;
        config.check_destinations()?;
        config.routing()?;
        Ok(config)
    }

    fn check_destinations(&self) -> anyhow::Result<()> {
        let mut ids = BTreeSet::new();
        for destination in &self.destinations {
            if !ids.insert(destination.id.as_str()) {
                return Err(bad_input(format!("destinations: id `{}` is used twice", destination.id)));
            }
        }
        let mut named: Vec<&String> = self.routing.default.iter().collect();
        let mut routes: Vec<&RouteEntry> = self.routing.routes.iter().collect();
        while let Some(route) = routes.pop() {
            named.extend(&route.destinations);
            routes.extend(&route.routes);
        }
        match named.iter().find(|name| !ids.contains(name.as_str())) {
            Some(name) => Err(bad_input(format!("routing: destination `{name}` is not configured"))),
            None => Ok(()),
        }
    }

    pub(crate) fn destinations(&self) -> Vec<Destination> {
        self.destinations
            .iter()
            .map(|entry| Destination {
                destination_id: DestinationId::new(&entry.id),
                destination_type: entry.destination_type,
                enabled: entry.enabled,
                disabled_reason: (!entry.enabled).then(|| "disabled in the configuration".to_owned()),
                settings: entry.settings.clone(),
            })
            .collect()
    }

    /// Without a `[routing]` table every destination gets every alert.
    pub(crate) fn routing(&self) -> anyhow::Result<RoutingConfig> {
        let defaults = match self.routing.default.is_empty() && self.routing.routes.is_empty() {
            true => self.destinations.iter().map(|entry| DestinationId::new(&entry.id)).collect(),
            false => self.routing.default.iter().map(DestinationId::new).collect(),
        };
        let routes = self.routing.routes.iter().map(route_of).collect::<anyhow::Result<_>>()?;
        Ok(RoutingConfig { routes, defaults })
    }
}

fn route_of(entry: &RouteEntry) -> anyhow::Result<Route> {
    let matchers = entry
        .matchers
        .iter()
        .map(|text| Matcher::parse(text).map_err(|e| bad_input(format!("routing: route `{}`: {e}", entry.name))))
        .collect::<anyhow::Result<_>>()?;
    Ok(Route {
        name: entry.name.clone(),
        matchers,
        destinations: entry.destinations.iter().map(DestinationId::new).collect(),
        continues: entry.continues,
        routes: entry.routes.iter().map(route_of).collect::<anyhow::Result<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_is_read_and_gives_the_defaults() {
        let config = Config::parse(TEMPLATE).unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn errors_name_the_field() {
        for (text, expected) in [
            ("[server]\nport = 1", "unknown field `port`"),
            ("[[destinations]]\nid = 'a'\ntype = 'fax'", "fax"),
            ("[routing]\ndefault = ['x']", "destination `x` is not configured"),
            ("[[routing.routes]]\nname = 'r'\nmatch = ['severity']", "route `r`: matcher `severity` has no operator"),
            (
                "[[destinations]]\nid = 'a'\ntype = 'webhook'\n[[destinations]]\nid = 'a'\ntype = 'slack'",
                "id `a` is used twice",
            ),
        ] {
            let error = format!("{:#}", Config::parse(text).unwrap_err());
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn without_routes_every_destination_gets_every_alert() {
        let config =
            Config::parse("[[destinations]]\nid = 'a'\ntype = 'webhook'\nurl = 'https://example.org'").unwrap();
        assert_eq!(config.routing().unwrap().defaults, [DestinationId::new("a")]);
        assert_eq!(config.destinations()[0].settings.get("url").map(String::as_str), Some("https://example.org"));
    }
}
