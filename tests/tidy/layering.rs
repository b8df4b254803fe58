//! Who may import whom. `services/README.md` has the picture.

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use std::collections::BTreeSet;

const PLATFORM_LEAVES: &[&str] = &["contracts"];
const STAGES: &[&str] =
    &["ingest", "scheduler", "query-worker", "result-poller", "dedup", "enrichment", "notifiers", "api", "nl-query"];
const ADAPTERS: &[&str] = &["embedded", "aws", "trino"];

/// What a crate of ours may import of ours.
fn allowed(name: &str) -> Option<Vec<&'static str>> {
    let allowed = match name {
        "contracts" => vec![],
        "domain" | "ports" => PLATFORM_LEAVES.to_vec(),
        "lake" => vec!["contracts"],
        "sql" => vec!["contracts", "lake"],
        "detection" => vec!["contracts", "lake", "sql"],
        "runtime" => vec!["contracts", "domain", "ports"],
        "generators" => vec![],
        adapter if ADAPTERS.contains(&adapter) => vec!["contracts", "ports", "lake", "sql"],
        stage if STAGES.contains(&stage) => {
            vec!["contracts", "domain", "detection", "sql", "lake", "ports", "runtime"]
        }
        _ => return None,
    };
    Some(allowed)
}

/// Crates only these may name: the rest of the system must not know which database or SDK it runs on.
fn reserved_for(dependency: &str) -> Option<&'static [&'static str]> {
    match dependency {
        "rusqlite" | "datafusion" => Some(&["embedded"]),
        "lettre" => Some(&["embedded"]),
        name if name.starts_with("aws-sdk-") || name.starts_with("aws-smithy-") || name == "aws-config" => {
            Some(&["aws"])
        }
        "lambda_runtime" | "lambda_http" | "aws_lambda_events" => Some(&["hosts-aws"]),
        "clap" | "indicatif" | "comfy-table" => Some(&["standalone", "bench"]),
        _ => None,
    }
}

/// All that the stages import of others' crates: a stage computes and decides, and what it needs from the world is a port.
/// Whoever adds to it says what for.
const OF_STAGES: &[(&str, &[&str])] = &[
    ("", &["async-trait", "chrono", "futures", "serde", "serde_json", "thiserror", "tokio", "tracing"]),
    ("ingest", &["base64", "bytes", "sha2"]),
    ("scheduler", &["uuid"]),
    // Assets are a table, addresses are looked up in a database that is a file.
    ("enrichment", &["csv", "maxminddb"]),
    // Messages are written with templates and signed.
    ("notifiers", &["base64", "bytes", "hmac", "minijinja", "reqwest", "sha2", "url"]),
    ("api", &["axum", "minijinja", "uuid"]),
];

#[test]
fn stages_import_nothing_else() {
    let mut wrong = Vec::new();
    for package in packages() {
        let name = short(&package.name).unwrap().to_owned();
        if !STAGES.contains(&name.as_str()) {
            continue;
        }
        let known: BTreeSet<&str> = OF_STAGES
            .iter()
            .filter(|(stage, _)| stage.is_empty() || *stage == name)
            .flat_map(|(_, crates)| crates.iter().copied())
            .collect();
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        let others = normal.filter(|dependency| short(&dependency.name).is_none());
        wrong.extend(
            others
                .filter(|dependency| !known.contains(dependency.name.as_str()))
                .map(|dependency| format!("{name} imports {}", dependency.name)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn packages() -> Vec<Package> {
    let manifest = mantissa_tests::workspace_root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap().packages
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("mantissa-")
}

#[test]
fn crates_import_only_what_their_layer_may() {
    let mut wrong = Vec::new();
    for package in packages() {
        let name = short(&package.name).unwrap().to_owned();
        let Some(allowed) = allowed(&name) else {
            assert!(
                ["standalone", "tests", "bench", "hosts-aws"].contains(&name.as_str()),
                "crate `{name}` has no layer"
            );
            continue;
        };
        for dependency in &package.dependencies {
            let Some(ours) = short(&dependency.name) else { continue };
            // Fakes and suites for tests may come from anywhere below the hosts.
            if dependency.kind == DependencyKind::Normal && !allowed.contains(&ours) {
                wrong.push(format!("{name} imports {ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn databases_and_sdks_are_named_by_their_adapter_only() {
    let mut wrong = Vec::new();
    for package in packages() {
        let name = short(&package.name).unwrap().to_owned();
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            if reserved_for(&dependency.name).is_some_and(|owners| !owners.contains(&name.as_str())) {
                wrong.push(format!("{name} names {}", dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn contracts_is_a_leaf_of_few_dependencies() {
    let packages = packages();
    let contracts = packages.iter().find(|package| package.name.as_str() == "mantissa-contracts").unwrap();
    let names: BTreeSet<&str> = contracts
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let allowed = BTreeSet::from(["chrono", "schemars", "serde", "serde_json", "utoipa", "uuid"]);
    assert!(names.is_subset(&allowed), "{names:?}");
}
