use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
pub(crate) fn rsigma_verdicts(rules: &[String], events: &[Value]) -> Vec<Result<Vec<bool>, String>> {
    let exe = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("rsigma-dev");
    let mut child = Command::new(exe).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = json!([{"rules": rules, "events": events}]).to_string();
    let writer = std::thread::spawn(move || {
        stdin.write_all(text.as_bytes()).unwrap();
    });
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let v: Value = serde_json::from_slice(&out.stdout).unwrap();
    v[0].as_array()
        .unwrap()
        .iter()
        .map(|r| match r {
            Value::String(e) => Err(e.clone()),
            other => Ok(serde_json::from_value(other.clone()).unwrap()),
        })
        .collect()
}
