//! Training from the command line: begun, gone on with, interrupted, looked at.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use support::Bench;

/// A stage of the toy preset.
const TRAIN: &str = "train semantic-encoder --data data --run run --preset smoke";

#[test]
fn a_run_is_begun_gone_on_with_and_looked_at() {
    let bench = Bench::with_data();
    assert_eq!(bench.json(TRAIN)["finished"][0], "semantic-encoder");
    assert_eq!(bench.json("train kmeans --run run")["finished"][0], "kmeans");

    let stages = &bench.json("info run")["stages"];
    assert_eq!(stages[0]["step"], 4);
    assert!(stages[0]["valid"]["prediction"].as_f64().unwrap() > 0.0);
    assert_eq!(bench.json("info run/semantic-encoder/checkpoint")["step"], 4);

    assert_eq!(bench.json("plot --run run")["pictures"].as_array().unwrap().len(), 1);
    let picture = std::fs::read(bench.path("run/plots/semantic-encoder.png")).unwrap();
    assert_eq!(&picture[1..4], b"PNG");
}

#[test]
fn other_settings_are_refused() {
    let bench = Bench::with_data();
    bench.json(TRAIN);
    let called = bench.call(&format!("{TRAIN} --seed 9"));
    called.check_refused(1, &["run/semantic-encoder/checkpoint", "seed was 0, now 9"]);
}

#[test]
fn a_finished_stage_is_trained_for_longer() {
    let bench = Bench::with_data();
    bench.json(TRAIN);
    assert_eq!(bench.json(&format!("{TRAIN} --steps 6"))["finished"][0], "semantic-encoder");
    assert_eq!(bench.json("info run/semantic-encoder/checkpoint")["step"], 6);
}

#[test]
fn a_stage_needs_those_before_it() {
    let called = Bench::with_data().call("train fine --data data --run run --preset smoke");
    called.check_refused(1, &["train codec first"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_saves() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let bench = Bench::with_data();
    let mut command = bench.command(&format!("{TRAIN} --steps 100000"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let metrics = bench.path("run/semantic-encoder/metrics.jsonl");
    while std::fs::read(&metrics).map_or(true, |it| it.is_empty()) {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing has been measured");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let saved = bench.json("info run/semantic-encoder/checkpoint");
    let lines = std::fs::read_to_string(metrics).unwrap();
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(saved["step"], last["step"]);
}
