//! `mantissa.toml`: read, checked, explained. One machine and AWS read the same file; what only one of them uses says so.

mod mail;

use chrono::TimeDelta;
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::DestinationType;
use mantissa_domain::matchers::Matcher;
use mantissa_domain::routing::{Route, RoutingConfig};
use mantissa_ports::stores::Destination;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;

pub use mail::{MailEntry, SmtpEntry, SmtpTlsEntry};

/// What `mantissa config init` writes.
pub const TEMPLATE: &str = include_str!("mantissa.toml");

const DEFAULT_PATH: &str = "mantissa.toml";

/// What is wrong with it, and where.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub rules: Rules,
    pub ingest: Ingest,
    pub query: Query,
    pub scheduler: Scheduler,
    pub delivery: Delivery,
    pub mail: Option<MailEntry>,
    pub enrichment: Enrichment,
    pub log: Log,
    pub telemetry: Telemetry,
    pub routing: Routing,
    pub destinations: Vec<DestinationEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    pub bind: SocketAddr,
    /// Where people reach the server; links in notifications start with it.
    pub public_url: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self { bind: SocketAddr::from(([127, 0, 0, 1], 7373)), public_url: None }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    pub paths: Vec<PathBuf>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { paths: vec![PathBuf::from("rules")] }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    pub watch: Vec<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    pub engine: EngineKind,
    pub trino: Option<TrinoEntry>,
    pub memory_limit_mb: usize,
    pub timeout_s: u64,
    pub max_rows: u64,
    pub concurrent: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            engine: EngineKind::Embedded,
            trino: None,
            memory_limit_mb: 1024,
            timeout_s: 600,
            max_rows: 100_000,
            concurrent: 2,
        }
    }
}

/// What runs the queries of an installation outside AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineKind {
    /// DataFusion, in this process.
    Embedded,
    Trino,
}

/// A Trino cluster that reads the same lake.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrinoEntry {
    pub url: String,
    #[serde(default = "trino_user")]
    pub user: String,
    pub password_secret: Option<String>,
    pub jwt_secret: Option<String>,
    /// PEM.
    pub certificates: Option<PathBuf>,
    pub catalog: String,
    pub schema: String,
    /// The folder of the lake as the cluster sees it.
    pub location: String,
}

impl TrinoEntry {
    pub fn url(&self) -> Result<Url, ConfigError> {
        self.url.parse().map_err(|e| ConfigError(format!("query.trino: url `{}`: {e}", self.url)))
    }
}

fn trino_user() -> String {
    "mantissa".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scheduler {
    pub tick_ms: u64,
    pub settle_ms: u64,
    /// Overrides every rule's interval; for tests and demonstrations.
    pub every_s: Option<u64>,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self { tick_ms: 1000, settle_ms: 5000, every_s: None }
    }
}

impl Scheduler {
    /// How old ingestion time must be before it is judged.
    pub fn settle(&self) -> TimeDelta {
        TimeDelta::milliseconds(i64::try_from(self.settle_ms).unwrap_or(i64::MAX))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    pub allow_loopback: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Enrichment {
    pub assets: Option<PathBuf>,
    pub maxmind: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Where traces go, as OTLP over HTTP; without it none are recorded.
    pub otlp_endpoint: Option<String>,
    pub otlp_headers_secret: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    pub default: Vec<String>,
    pub routes: Vec<RouteEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteEntry {
    pub name: String,
    #[serde(default, rename = "match")]
    pub matchers: Vec<String>,
    #[serde(default)]
    pub destinations: Vec<String>,
    #[serde(default, rename = "continue")]
    pub continues: bool,
    #[serde(default)]
    pub routes: Vec<RouteEntry>,
}

/// Settings beside `id`, `type` and `enabled` are what the destination's type defines.
#[derive(Debug, Clone, Deserialize)]
pub struct DestinationEntry {
    pub id: String,
    #[serde(rename = "type")]
    pub destination_type: DestinationType,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(flatten)]
    pub settings: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

impl Config {
    /// Reads the named file; without a name, `mantissa.toml` where there is one, else the defaults.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let path = match path {
            Some(path) => path,
            None if Path::new(DEFAULT_PATH).is_file() => Path::new(DEFAULT_PATH),
            None => return Ok(Self::default()),
        };
        let in_file = |problem: &dyn std::fmt::Display| ConfigError(format!("{}: {problem}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| in_file(&e))?;
        Self::parse(&text).map_err(|e| in_file(&e))
    }

    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError(e.to_string()))?;
        config.check_query()?;
        config.check_destinations()?;
        config.check_mail()?;
        config.routing()?;
        Ok(config)
    }

    fn check_query(&self) -> Result<(), ConfigError> {
        match &self.query.trino {
            None if self.query.engine == EngineKind::Trino => {
                Err(ConfigError("query.engine is `trino`, and there is no [query.trino] that says which".to_owned()))
            }
            Some(TrinoEntry { password_secret: Some(_), jwt_secret: Some(_), .. }) => {
                Err(ConfigError("query.trino: give password_secret or jwt_secret, not both".to_owned()))
            }
            Some(entry) => entry.url().map(|_| ()),
            None => Ok(()),
        }
    }

    fn check_mail(&self) -> Result<(), ConfigError> {
        let Some(mail) = &self.mail else {
            let of_mail = |entry: &&DestinationEntry| entry.destination_type == DestinationType::Email;
            return match self.destinations.iter().find(of_mail) {
                Some(entry) => Err(ConfigError(format!(
                    "destination `{}` is of type `email`, and there is no [mail] that says who sends it",
                    entry.id
                ))),
                None => Ok(()),
            };
        };
        mail.check()
    }

    fn check_destinations(&self) -> Result<(), ConfigError> {
        let mut ids = BTreeSet::new();
        for destination in &self.destinations {
            if !ids.insert(destination.id.as_str()) {
                return Err(ConfigError(format!("destinations: id `{}` is used twice", destination.id)));
            }
        }
        let mut named: Vec<&String> = self.routing.default.iter().collect();
        let mut routes: Vec<&RouteEntry> = self.routing.routes.iter().collect();
        while let Some(route) = routes.pop() {
            named.extend(&route.destinations);
            routes.extend(&route.routes);
        }
        match named.iter().find(|name| !ids.contains(name.as_str())) {
            Some(name) => Err(ConfigError(format!("routing: destination `{name}` is not configured"))),
            None => Ok(()),
        }
    }

    pub fn destinations(&self) -> Vec<Destination> {
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

    /// Links in notifications start with it.
    pub fn base_url(&self) -> Result<Option<Url>, ConfigError> {
        let parse = |text: &String| text.parse().map_err(|e| ConfigError(format!("server.public_url `{text}`: {e}")));
        self.server.public_url.as_ref().map(parse).transpose()
    }

    /// Without a `[routing]` table every destination gets every alert.
    pub fn routing(&self) -> Result<RoutingConfig, ConfigError> {
        let defaults = match self.routing.default.is_empty() && self.routing.routes.is_empty() {
            true => self.destinations.iter().map(|entry| DestinationId::new(&entry.id)).collect(),
            false => self.routing.default.iter().map(DestinationId::new).collect(),
        };
        let routes = self.routing.routes.iter().map(route_of).collect::<Result<_, ConfigError>>()?;
        Ok(RoutingConfig { routes, defaults })
    }
}

fn route_of(entry: &RouteEntry) -> Result<Route, ConfigError> {
    let matchers = entry
        .matchers
        .iter()
        .map(|text| Matcher::parse(text).map_err(|e| ConfigError(format!("routing: route `{}`: {e}", entry.name))))
        .collect::<Result<_, ConfigError>>()?;
    Ok(Route {
        name: entry.name.clone(),
        matchers,
        destinations: entry.destinations.iter().map(DestinationId::new).collect(),
        continues: entry.continues,
        routes: entry.routes.iter().map(route_of).collect::<Result<_, ConfigError>>()?,
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
            ("[query]\nengine = 'trino'", "no [query.trino]"),
            (
                "[query.trino]\nurl = 'trino'\ncatalog = 'c'\nschema = 's'\nlocation = 's3://b'",
                "query.trino: url `trino`",
            ),
            ("[query.trino]\nurl = 'https://t'\ncatalog = 'c'\nschema = 's'", "location"),
            ("[[destinations]]\nid = 'a'\ntype = 'fax'", "fax"),
            (
                "[[destinations]]\nid = 'a'\ntype = 'email'\nto = 'a@b.c'",
                "`a` is of type `email`, and there is no [mail]",
            ),
            ("[mail]\nfrom = 'alerts'", "mail.from: `alerts` is not an address"),
            ("[mail]\nfrom = 'a@b.c'\n[mail.smtp]\nhost = 'h'\nusername = 'u'", "give both"),
            ("[mail]\nfrom = 'a@b.c'\n[mail.smtp]\nhost = 'h'\ntls = 'none'", "on their way to `h`"),
            ("[mail]\nfrom = 'a@b.c'\n[mail.smtp]\nhost = 'h'\ntls = 'ssl'", "unknown variant `ssl`"),
            ("[routing]\ndefault = ['x']", "destination `x` is not configured"),
            ("[[routing.routes]]\nname = 'r'\nmatch = ['severity']", "route `r`: matcher `severity` has no operator"),
            (
                "[[destinations]]\nid = 'a'\ntype = 'webhook'\n[[destinations]]\nid = 'a'\ntype = 'slack'",
                "id `a` is used twice",
            ),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
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
