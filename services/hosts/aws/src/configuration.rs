//! The configuration archive: `mantissa.toml`, the rules and the asset table of a deployment, in one object, so that all of
//! it changes at once.

use anyhow::{Context as _, bail};
use mantissa_detection::{LoadedRules, load_rules};
use mantissa_enrichment::AssetTable;
use mantissa_runtime::config::Config;
use maxminddb::Reader;
use std::io::{Cursor, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use zip::ZipArchive;

const SETTINGS: &str = "mantissa.toml";
/// A country database is a tenth of it.
const MAX_UNPACKED_BYTES: u64 = 64 * 1024 * 1024;

/// Paths in `mantissa.toml` are read relative to the archive, and none leads out of it.
pub struct Configuration {
    pub settings: Config,
    archive: ZipArchive<Cursor<Vec<u8>>>,
}

impl Configuration {
    pub fn read(archive: Vec<u8>) -> anyhow::Result<Self> {
        let mut archive = ZipArchive::new(Cursor::new(archive)).context("it is no zip archive")?;
        let unpacked = archive.decompressed_size().unwrap_or_default();
        if unpacked > u128::from(MAX_UNPACKED_BYTES) {
            bail!("it unpacks to {unpacked} bytes, more than {MAX_UNPACKED_BYTES}");
        }
        let settings = text_of(&mut archive, SETTINGS)?;
        let settings = Config::parse(&settings).with_context(|| SETTINGS.to_owned())?;
        Ok(Self { settings, archive })
    }

    /// Rules are read from files: they are unpacked into a folder that is removed after it.
    pub fn rules(&mut self) -> anyhow::Result<LoadedRules> {
        let folder = tempfile::tempdir().context("unpack the configuration")?;
        self.archive.extract(folder.path()).context("unpack the configuration")?;
        let mut paths = Vec::new();
        for path in &self.settings.rules.paths {
            let inside: PathBuf = folder.path().join(path);
            if path.is_absolute() || !inside.exists() {
                bail!("rules.paths: `{}` is not in the archive", path.display());
            }
            paths.push(inside);
        }
        let mut loaded = load_rules(&paths);
        // What is said of a file names it as the archive does.
        let inside = format!("{}/", folder.path().display());
        let shorten = |path: &mut String| *path = path.replace(&inside, "");
        loaded.rules.iter_mut().for_each(|rule| shorten(&mut rule.path));
        loaded.problems.iter_mut().for_each(|problem| shorten(&mut problem.path));
        Ok(loaded)
    }

    pub fn assets(&mut self) -> anyhow::Result<AssetTable> {
        let Some(path) = &self.settings.enrichment.assets else { return Ok(AssetTable::default()) };
        let name = path.display().to_string();
        let text = text_of(&mut self.archive, &name)?;
        AssetTable::parse(&name, &text).map_err(|error| anyhow::anyhow!("{error}"))
    }

    pub fn addresses(&mut self) -> anyhow::Result<Option<Arc<Reader<Vec<u8>>>>> {
        let Some(path) = &self.settings.enrichment.maxmind else { return Ok(None) };
        let name = path.display().to_string();
        let database = bytes_of(&mut self.archive, &name)?;
        Ok(Some(Arc::new(Reader::from_source(database).with_context(|| format!("MaxMind database {name}"))?)))
    }
}

fn text_of(archive: &mut ZipArchive<Cursor<Vec<u8>>>, name: &str) -> anyhow::Result<String> {
    String::from_utf8(bytes_of(archive, name)?).with_context(|| format!("`{name}` is not text"))
}

fn bytes_of(archive: &mut ZipArchive<Cursor<Vec<u8>>>, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut file = archive.by_name(name).with_context(|| format!("`{name}` is not in the archive"))?;
    let mut content = Vec::new();
    file.read_to_end(&mut content).with_context(|| name.to_owned())?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    const RULE: &str = "title: A user was made
id: 11111111-1111-4111-8111-111111111111
status: stable
description: A user was made.
author: Mantissa Log
date: '2026-11-23'
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: CreateUser}
  condition: selection
level: high
";

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut written = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            written.start_file(*name, SimpleFileOptions::default()).unwrap();
            written.write_all(content.as_bytes()).unwrap();
        }
        written.finish().unwrap().into_inner()
    }

    fn problem(files: &[(&str, &str)]) -> String {
        let read = Configuration::read(archive(files)).and_then(|mut configuration| {
            configuration.assets()?;
            configuration.rules()
        });
        format!("{:#}", read.expect_err("an archive that is refused"))
    }

    #[test]
    fn rules_and_what_is_wrong_with_them_are_named_as_in_the_archive() {
        let files = [("mantissa.toml", ""), ("rules/cloudtrail/a.yml", RULE), ("rules/b.yml", "title: [")];
        let loaded = Configuration::read(archive(&files)).unwrap().rules().unwrap();
        assert_eq!(loaded.rules.iter().map(|rule| rule.path.as_str()).collect::<Vec<_>>(), ["rules/cloudtrail/a.yml"]);
        let of_b = loaded.problems.iter().map(ToString::to_string).find(|problem| problem.contains("b.yml")).unwrap();
        assert!(of_b.starts_with("rules/b.yml:"), "{of_b}");
    }

    #[test]
    fn what_the_settings_name_must_be_in_the_archive() {
        assert!(problem(&[("rules/a.yml", RULE)]).contains("`mantissa.toml` is not in the archive"));
        assert!(problem(&[("mantissa.toml", "[server]\nport = 1")]).contains("unknown field `port`"));
        assert!(problem(&[("mantissa.toml", "")]).contains("rules.paths: `rules` is not in the archive"));
        let absolute = [("mantissa.toml", "[rules]\npaths = ['/']"), ("rules/a.yml", RULE)];
        assert!(problem(&absolute).contains("rules.paths: `/` is not in the archive"));
        let assets = [("mantissa.toml", "[enrichment]\nassets = 'assets.csv'"), ("rules/a.yml", RULE)];
        assert!(problem(&assets).contains("`assets.csv` is not in the archive"));
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let refused = Configuration::read(b"no archive".to_vec()).err().expect("it is refused");
        assert!(format!("{refused:#}").starts_with("it is no zip archive"), "{refused:#}");
    }
}
