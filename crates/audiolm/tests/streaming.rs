//! What is heard while it is made, and what is left of it when it is stopped.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use audiolm::Clip;
use support::Bench;

/// Far more than any of these takes.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_stream_is_the_same_recording() {
    let bench = Bench::new();
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    for command in ["continue prompt.wav --prompt-seconds 1", "generate"] {
        let command = format!("{command} --seconds 1.3 --seed 3");
        let whole = bench.json(&format!("{command} -o whole.wav"));
        let streamed = bench.json(&format!("{command} -o streamed.wav --stream"));
        assert!(read("streamed.wav") == read("whole.wav"));
        let piped = |option: &str| bench.pipe(&format!("{command} -o - {option}"), Vec::new());
        assert!(piped("--stream") == read("whole.wav"));
        assert!(piped("") == read("whole.wav"));

        assert!(whole.get("first_audio_seconds").is_none());
        let first = streamed["first_audio_seconds"].as_f64().unwrap();
        assert!(first <= streamed["elapsed_seconds"].as_f64().unwrap());
        assert!(streamed.get("interrupted").is_none());
        assert_eq!(whole["seconds"], streamed["seconds"]);
        assert_eq!(whole.get("prompt_seconds"), streamed.get("prompt_seconds"));
    }
}

/// Begins to make ten minutes of sound, and waits until some of it is at `path`.
fn ten_minutes(bench: &Bench, path: &Path) -> Child {
    let arguments = "generate -o long.wav --seconds 600 --stream --json";
    let mut command = bench.command(arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !Clip::read(path).is_ok_and(|it| it.seconds() > 0.5) {
        assert!(began.elapsed() < PATIENCE, "no sound");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_what_has_been_heard() {
    let bench = Bench::new();
    let path = bench.path("long.wav");
    let child = ten_minutes(&bench, &path);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["interrupted"], true);
    let left = Clip::read(&path).unwrap();
    assert_eq!(report["seconds"], left.seconds());
    assert!(left.seconds() < 590.0);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("stopping after this block"), "{said}");
}

#[test]
fn a_stream_that_is_killed_leaves_a_recording() {
    let bench = Bench::new();
    let path = bench.path("long.wav");
    let mut child = ten_minutes(&bench, &path);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Clip::read(&path).unwrap().seconds() > 0.5);
}

#[test]
fn without_a_stream_nothing_shows_before_the_end() {
    let bench = Bench::new();
    let mut child = bench.command("generate -o long.wav --seconds 600").spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(child.try_wait().unwrap().is_none(), "ten minutes were made in two seconds");
    assert!(!bench.path("long.wav").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!bench.path("long.wav").exists());
}

#[test]
fn a_listener_who_leaves_is_no_failure() {
    let bench = Bench::new();
    let mut command = bench.command("generate -o - --seconds 600 --stream");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
