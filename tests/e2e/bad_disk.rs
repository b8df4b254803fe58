//! A disk that is full: nothing ends silently, nothing is lost, and with room again everything goes on.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, arn, file_of, record};
use mantissa_tests::installation::{Installation, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Runs the binary with files no larger than this.
fn run_with_file_limit(installation: &Installation, n_blocks: u32, arguments: &str) -> (Option<i32>, String) {
    let command = installation.command(&[]);
    let (program, data) = (command.get_program().to_str().unwrap(), installation.path("data"));
    let script = format!("ulimit -f {n_blocks}; exec {program} --data {} {arguments}", data.display());
    let output = Command::new("sh").args(["-c", &script]).current_dir(installation.path("")).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn file_that_cannot_grow_fails_the_command_with_a_reason_and_is_ingested_later() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    let calls: Vec<String> = (0..20_000_u32)
        .map(|number| {
            record(
                &format!("{:032x}", u128::from(number) * 0x9e37_79b9_7f4a_7c15),
                "CreateUser",
                "maya",
                SystemClock.now(),
            )
        })
        .collect();
    installation.write("logs.json", file_of(&calls));
    assert_eq!(installation.run(&["rules", "lint"]).code, Some(0));
    // 400 blocks of 512 or 1024 bytes: the database fits, the Parquet file does not.
    let (code, text) = run_with_file_limit(&installation, 400, "ingest logs.json");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("failed logs.json: ") && text.contains("1 failed"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    let report = installation.json(&["ingest", "logs.json"]);
    let object = &report["objects"][0];
    assert_eq!((&object["duplicate"], &object["n_records"]), (&false.into(), &20_000.into()), "{report}");
    assert_eq!(installation.json(&["detect", "--rules", "rules"])[0]["n_matches"], 20_000);
}

#[test]
fn database_that_cannot_grow_is_an_error_and_not_the_end_of_the_process_by_a_signal() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    let (code, text) = run_with_file_limit(&installation, 4, "alerts list");
    assert_eq!(code, Some(10), "{text}");
    assert!(text.contains("mantissa.db"), "{text}");
    assert_eq!(installation.run(&["alerts", "list"]).code, Some(0));
}

/// A small file system of its own, where the machine lets us have one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "mantissa-test"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn services_live_through_a_full_disk_and_lose_nothing() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    let data = installation.path("data");
    let secrets = installation.path("secrets");
    std::fs::rename(&data, &secrets).unwrap();
    let Some(disk) = SmallDisk::mount(&data, 24) else {
        println!("skipped: a small file system can be mounted only by root, and not everywhere");
        return;
    };
    for entry in std::fs::read_dir(&secrets).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, data.join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut server = installation.start();
    fill(&data.join("filler"));
    let calls: Vec<String> = (0..50)
        .map(|number| {
            record(&format!("call-{number}"), CREATE_USER.action, &format!("user-{}", number % 5), SystemClock.now())
        })
        .collect();
    installation.drop_in("calls.json", file_of(&calls));
    wait_for("the full disk to be told", || {
        let log = server.log();
        (log.contains("the disk is full") || log.contains("No space left on device")).then_some(())
    });
    std::thread::sleep(Duration::from_secs(4));
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.wait_until_serving();
    assert!(receiver.received().is_empty(), "nothing can be durable on a full disk");

    std::fs::remove_file(data.join("filler")).unwrap();
    for user in 0..5 {
        let user = arn(&format!("user-{user}"));
        wait_for("the alert once there is room", || {
            let alerts = installation.alerts();
            alerts.into_iter().find(|alert| alert["alert_key"][0]["value"] == user.as_str() && alert["n_matches"] == 10)
        });
    }
    wait_for("the notifications", || (receiver.accepted().len() >= 5).then_some(()));
    assert_eq!(installation.json(&["dlq", "list"]), serde_json::json!([]));
    server.stop();
    drop(disk);
}

/// Takes all room there is.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    let mut chunk = vec![0_u8; 1 << 16];
    while !chunk.is_empty() {
        if file.write_all(&chunk).is_err() {
            chunk.truncate(chunk.len() / 16);
        }
    }
}
