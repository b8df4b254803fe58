//! Raw objects in a directory.

use mantissa_embedded::FsRawObjectSource;
use mantissa_ports::RawObjectSource;
use mantissa_ports::conformance::RawObjectFixture;
use std::sync::Arc;

struct Directory(tempfile::TempDir);

impl RawObjectFixture for Directory {
    fn source(&self) -> Arc<dyn RawObjectSource> {
        Arc::new(FsRawObjectSource)
    }

    fn root(&self) -> String {
        self.0.path().to_str().unwrap().to_owned()
    }

    fn put(&self, name: &str, content: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

mantissa_ports::raw_object_conformance!(Directory(tempfile::tempdir().unwrap()));
