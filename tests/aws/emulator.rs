//! An emulator of AWS, started for a test and stopped after it.

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use mantissa_tests::workspace_root;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const STARTS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    MiniStack,
    /// With every service, and with access judged by the roles' policies.
    WholeMiniStack,
    Moto,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MiniStack | Self::WholeMiniStack => "MiniStack",
            Self::Moto => "moto",
        }
    }

    fn module(self) -> &'static str {
        match self {
            Self::MiniStack | Self::WholeMiniStack => "ministack",
            Self::Moto => "moto.server",
        }
    }
}

pub(crate) struct Emulator {
    child: Child,
    pub(crate) kind: Kind,
    pub(crate) endpoint: String,
    folder: TempDir,
}

impl Emulator {
    /// `None`, and the reason printed, where it is not installed.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let python = python()?;
        let knows = Command::new(&python).args(["-c", &format!("import {}", kind.module())]).output().unwrap();
        if !knows.status.success() {
            eprintln!("skipped: {} is not installed for {} (`make test` installs it)", kind.name(), python.display());
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(&python);
        command.arg("-m").arg(kind.module()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let endpoint = format!("http://127.0.0.1:{port}");
        match kind {
            Kind::MiniStack | Kind::WholeMiniStack => {
                command
                    .env("GATEWAY_PORT", port.to_string())
                    .env("BIND_HOST", "127.0.0.1")
                    .env("STATE_DIR", folder.path().join("state"))
                    .env("S3_DATA_DIR", folder.path().join("s3"));
            }
            Kind::Moto => _ = command.args(["-H", "127.0.0.1", "-p", &port.to_string()]),
        }
        match kind {
            Kind::MiniStack => {
                command.env("SERVICES", "sqs,sns,s3,dynamodb,secretsmanager,ses,sts").env("LOG_LEVEL", "WARNING");
            }
            Kind::WholeMiniStack => {
                // Functions call back there.
                command.env("AWS_ENDPOINT_URL", &endpoint).env("AUTH", "true").env("LOG_LEVEL", "INFO");
                // The emulator would listen for it on every address of the machine.
                command.env("IOT_MTLS_ENABLED", "0");
            }
            Kind::Moto => {}
        }
        let mut emulator = Self { child: command.spawn().unwrap(), kind, endpoint, folder };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = emulator.child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < STARTS_WITHIN,
                "{} did not start: {}",
                kind.name(),
                emulator.log()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(emulator)
    }

    pub(crate) async fn config(&self) -> SdkConfig {
        mantissa_aws::config_loader()
            .endpoint_url(&self.endpoint)
            .region("us-east-1")
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python of the virtual environment that `make` keeps.
fn python() -> Option<PathBuf> {
    let python = workspace_root().join(".venv/bin/python");
    if !python.exists() {
        eprintln!("skipped: there is no {} (`make test` makes it)", python.display());
        return None;
    }
    Some(python)
}
