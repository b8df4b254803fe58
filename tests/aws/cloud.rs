//! A whole deployment: the Pulumi program's resources in an emulator, and the functions that were built beside the test
//! or packaged by `make lambda`.

use crate::athena_endpoint::{AthenaEndpoint, Served};
use crate::emulator::{Emulator, Kind};
use crate::mirrored_lake::MirroredLake;
use aws_config::SdkConfig;
use aws_sdk_s3::types::NotificationConfiguration;
use mantissa_aws::dynamodb::DynamoTables;
use mantissa_aws::s3::S3ObjectStorage;
use mantissa_aws::sqs::{QueueUrls, SqsQueue};
use mantissa_contracts::topology::find_queue;
use mantissa_hosts_aws::functions::FUNCTIONS;
use mantissa_ports::stores::{DeliveryRecord, DeliveryStore as _};
use mantissa_ports::{Publisher, SystemClock};
use mantissa_tests::{built_binary, workspace_root};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// As the program names what it makes, in the emulator's only account.
const LAKE_BUCKET: &str = "mantissa-test-lake-000000000000";
const TABLE_PREFIX: &str = "mantissa-test-";
const SIGNING_KEY: &str = "signing_key";

/// What mails may be sent from.
pub(crate) const MAIL_DOMAIN: &str = "example.com";

pub(crate) struct Cloud {
    pub(crate) config: SdkConfig,
    pub(crate) athena: Served,
    pub(crate) emulator: Emulator,
    /// The outputs of the Pulumi program.
    pub(crate) outputs: Value,
    packages: PathBuf,
    /// What removes the packages that were made for the test.
    _made: Option<TempDir>,
}

impl Cloud {
    /// An account with nothing in it. `None`, and the reason printed, where something it needs is not installed.
    pub(crate) async fn start() -> Option<Self> {
        if !workspace_root().join("pulumi/node_modules").is_dir() {
            eprintln!("skipped: the Pulumi program's packages are not installed (`make test` installs them)");
            return None;
        }
        let emulator = Emulator::start(Kind::WholeMiniStack)?;
        let config = emulator.config().await;
        let lake = MirroredLake::new(Arc::new(S3ObjectStorage::new(s3(&config), LAKE_BUCKET))).await;
        let athena = AthenaEndpoint::serve(Arc::new(lake)).await;
        athena.endpoint.tell(aws_sdk_eventbridge::Client::new(&config));
        let (packages, made) = match named_packages() {
            Some(packages) => (packages, None),
            None => {
                let folder = tempfile::tempdir().unwrap();
                write_packages(folder.path());
                (folder.path().to_owned(), Some(folder))
            }
        };
        Some(Self { config, athena, emulator, outputs: Value::Null, packages, _made: made })
    }

    /// Deploys the Pulumi program. `environment` is `NAME=value` for every function.
    pub(crate) fn deploy(&mut self, configuration: &str, rules: &[(String, String)], environment: &[String]) {
        let sources = tempfile::tempdir().unwrap();
        std::fs::write(sources.path().join("mantissa.toml"), configuration).unwrap();
        std::fs::create_dir(sources.path().join("rules")).unwrap();
        for (name, text) in rules {
            std::fs::write(sources.path().join("rules").join(name), text).unwrap();
        }
        let mut command = Command::new("npm");
        command.current_dir(workspace_root().join("pulumi")).args(["run", "--silent", "emulate", "--"]);
        command.args(["--endpoint", &self.emulator.endpoint, "--athena-endpoint", &self.athena.url]);
        command.arg("--packages").arg(&self.packages);
        command.arg("--configuration").arg(sources.path().join("mantissa.toml"));
        command.arg("--rules").arg(sources.path().join("rules"));
        command.args(["--set", &format!("mailIdentity={MAIL_DOMAIN}")]);
        command.args(["--set", &format!("destinationSecrets={}", json!({ "webhook": [SIGNING_KEY] }))]);
        environment.iter().for_each(|variable| _ = command.args(["--extra-env", variable]));
        let deployed = command.output().unwrap();
        let stdout = String::from_utf8_lossy(&deployed.stdout);
        assert!(
            deployed.status.success(),
            "{stdout}{}\n{}",
            String::from_utf8_lossy(&deployed.stderr),
            self.emulator.log()
        );
        let outputs = stdout.lines().find_map(|line| serde_json::from_str(line).ok());
        self.outputs = outputs.unwrap_or_else(|| panic!("the program printed no outputs: {stdout}"));
        assert_eq!(self.output("lakeBucket"), LAKE_BUCKET);
        assert_eq!(self.outputs["configured"]["configure"]["n_rules"], rules.len(), "{}", self.outputs);
    }

    /// Gives the secret of the deployment that webhooks are signed with its value.
    pub(crate) async fn put_signing_key(&self, value: String) {
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        let name = format!("{}{SIGNING_KEY}", self.output("secretPrefix"));
        client.put_secret_value().secret_id(name).secret_string(value).send().await.unwrap();
    }

    /// From now on nobody is told of raw objects.
    pub(crate) async fn stop_telling_of_objects(&self) {
        let nothing = NotificationConfiguration::builder().build();
        let put = s3(&self.config).put_bucket_notification_configuration().bucket(self.output("rawBucket"));
        put.notification_configuration(nothing).send().await.unwrap();
    }

    /// The deliveries of an alert, as the deployment keeps them.
    pub(crate) async fn deliveries(&self, alert_id: &str) -> Vec<DeliveryRecord> {
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        let publisher = Arc::new(Publisher::new(vec![], vec![]));
        let tables = DynamoTables::new(client, TABLE_PREFIX, publisher, Arc::new(SystemClock));
        tables.deliveries().for_alert(&alert_id.parse().unwrap()).await.unwrap()
    }

    pub(crate) fn queue(&self, name: &str) -> SqsQueue {
        let url = |of: &str| self.outputs[of][name].as_str().unwrap().to_owned();
        let urls = QueueUrls { queue: url("queueUrls"), dlq: url("dlqUrls") };
        SqsQueue::new(aws_sdk_sqs::Client::new(&self.config), find_queue(name).unwrap(), urls)
    }

    pub(crate) async fn put_raw_object(&self, key: &str, content: impl Into<Vec<u8>>) {
        let put = s3(&self.config).put_object().bucket(self.output("rawBucket")).key(key).body(content.into().into());
        put.send().await.unwrap();
    }

    /// Mails that SES took, as the emulator keeps them.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        mantissa_runtime::tls::install_crypto_provider();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let kept = client.get(format!("{}/_ministack/ses/messages", self.emulator.endpoint)).send().await.unwrap();
        let kept: Value = serde_json::from_str(&kept.text().await.unwrap()).unwrap();
        kept["messages"]["000000000000"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("no output `{name}`: {}", self.outputs))
    }
}

fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}

/// The folder of packages that the environment names.
#[expect(clippy::disallowed_methods, reason = "whoever made packages says in the environment where they are")]
pub(crate) fn named_packages() -> Option<PathBuf> {
    Some(workspace_root().join(std::env::var("MANTISSA_PACKAGES").ok()?))
}

/// A package whose bootstrap is the binary that was built beside the test: what Lambda would run, without copying it.
fn write_packages(folder: &Path) {
    let binaries: BTreeSet<&str> = FUNCTIONS.iter().map(|function| function.binary).collect();
    for binary in binaries {
        let built = built_binary(binary).unwrap();
        std::fs::create_dir(folder.join(binary)).unwrap();
        let mut package = ZipWriter::new(File::create(folder.join(binary).join("bootstrap.zip")).unwrap());
        package.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
        write!(package, "#!/bin/sh\nexec '{}'\n", built.display()).unwrap();
        package.finish().unwrap();
    }
}

/// Asks until there is an answer.
pub(crate) async fn wait_for<T, F: Future<Output = Option<T>>>(what: &str, cloud: &Cloud, ask: impl Fn() -> F) -> T {
    const PATIENCE: Duration = Duration::from_secs(420);
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{what} did not come; the emulator said:\n{}", cloud.emulator.log());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
