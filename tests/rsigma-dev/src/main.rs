#[path = "../../rules/judge_with_rsigma.rs"]
mod judge_with_rsigma;
use std::io::Read;
fn main() {
    let mut s = String::new();
    std::io::stdin().read_to_string(&mut s).unwrap();
    let v: serde_json::Value = serde_json::from_str(&s).unwrap();
    let out: Vec<serde_json::Value> = v
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            let rules: Vec<String> = serde_json::from_value(job["rules"].clone()).unwrap();
            let events = job["events"].as_array().unwrap();
            serde_json::Value::Array(
                judge_with_rsigma::rsigma_verdicts(&rules, events)
                    .into_iter()
                    .map(|r| match r {
                        Ok(v) => serde_json::json!(v),
                        Err(e) => serde_json::json!(e),
                    })
                    .collect(),
            )
        })
        .collect();
    println!("{}", serde_json::Value::Array(out));
}
