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
/// Paths in `mantissa.toml` are read relative to the archive, and none leads out of it.
const MAX_UNPACKED_BYTES: u64 = 64 * 1024 * 1024;

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
