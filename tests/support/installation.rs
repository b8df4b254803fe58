//! One installation in a folder of its own: its configuration, its rules, and the binary run on it.

use crate::cloudtrail::ActionRule;
use crate::mantissa_binary;
use crate::receiver::Receiver;
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Installation {
    folder: tempfile::TempDir,
    binary: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Installation {
    /// Watches `in/`, judges every second, and sends every alert to the destinations.
    pub fn new(rules: &[ActionRule], destinations: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        let installation = Self { folder, binary: mantissa_binary().unwrap() };
        for rule in rules {
            installation.write(&format!("rules/{}.yml", rule.action), rule.yaml());
        }
        installation.configure(destinations);
        if !destinations.is_empty() {
            let ended = installation.run_with_input(&["secrets", "set", "signing_key"], &Receiver::secret());
            assert_eq!(ended.code, Some(0), "{ended:?}");
        }
        installation
    }

    pub fn configure(&self, destinations: &[(&str, String)]) {
        let mut config = "[server]
bind = '127.0.0.1:0'
[ingest]
watch = ['in']
[scheduler]
tick_ms = 50
settle_ms = 200
every_s = 1
[delivery]
allow_loopback = true
[log]
json = true
"
        .to_owned();
        for (id, url) in destinations {
            config += &format!(
                "[[destinations]]\nid = '{id}'\ntype = 'webhook'\nurl = '{url}'\nsigning_secret = 'signing_key'\n"
            );
        }
        self.write("mantissa.toml", config);
    }

    /// Puts a section in front of the configuration.
    pub fn configure_also(&self, section: &str) {
        let config = fs::read_to_string(self.path("mantissa.toml")).unwrap();
        self.write("mantissa.toml", format!("{section}{config}"));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Puts a whole file into the watched folder.
    pub fn drop_in(&self, name: &str, content: impl AsRef<[u8]>) {
        let hidden = self.write(&format!("in/.{name}"), content);
        fs::rename(hidden, self.path(&format!("in/{name}"))).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder.path()).args(["--data", "data"]).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        end_of(self.command(arguments).stdin(Stdio::null()))
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        ended(child.wait_with_output().unwrap())
    }

    /// What a command that must succeed prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--format", "json"]].concat());
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.json()
    }

    pub fn alerts(&self) -> Vec<Value> {
        self.json(&["alerts", "list", "--limit", "100000"]).as_array().unwrap().clone()
    }

    /// Why an alert was or was not delivered.
    pub fn deliveries(&self, alert_id: &str) -> Vec<Value> {
        self.json(&["deliveries", "why", alert_id]).as_array().unwrap().clone()
    }

    /// Starts the services and does not wait for them.
    pub fn spawn(&self) -> Server {
        self.spawn_command(self.command(&["up"]))
    }

    pub fn spawn_command(&self, mut command: Command) -> Server {
        let log = self.path("up.log");
        let file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let log_start = file.metadata().unwrap().len();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Server { child: command.spawn().unwrap(), log, log_start }
    }

    /// Starts the services; on return they run.
    pub fn start(&self) -> Server {
        let mut server = self.spawn();
        server.wait_until_serving();
        server
    }
}

fn end_of(command: &mut Command) -> Ended {
    ended(command.output().unwrap())
}

fn ended(output: std::process::Output) -> Ended {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// A running `mantissa up`; killed when dropped.
pub struct Server {
    child: Child,
    log: PathBuf,
    log_start: u64,
}

impl Server {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What this process has logged.
    pub fn log(&self) -> String {
        let whole = fs::read(&self.log).unwrap_or_default();
        let from = usize::try_from(self.log_start).unwrap().min(whole.len());
        String::from_utf8_lossy(&whole[from..]).into_owned()
    }

    pub fn wait_until_serving(&mut self) {
        wait_for("the services to run", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("`mantissa up` ended with {status}:\n{}", self.log());
            }
            self.log().contains("serving on http://").then_some(())
        });
    }

    /// Where it serves.
    pub fn address(&self) -> String {
        let log = self.log();
        let told = log.split("serving on http://").nth(1).unwrap_or_else(|| panic!("{log}"));
        told.chars().take_while(|c| c.is_ascii_digit() || ['.', ':'].contains(c)).collect()
    }

    /// SIGKILL.
    pub fn kill(mut self) -> std::process::ExitStatus {
        self.child.kill().unwrap();
        self.child.wait().unwrap()
    }

    /// SIGTERM, and waits for the services to finish what they hold.
    pub fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let status = wait_for("the services to stop", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}:\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "waited {} s for {what}", since.elapsed().as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The most memory a process has held, in bytes, where the system tells.
pub fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Lines of a file that the binary wrote.
pub fn lines_of(path: &Path) -> Vec<String> {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut File::open(path).unwrap(), &mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}
