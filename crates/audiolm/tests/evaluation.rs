//! Evaluation from the command line, of models that know nothing, on generated tones.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::fs;

use audiolm::Clip;
use audiolm::pipeline::testing::N_QUANTIZERS;
use serde_json::{Value, json};
use support::{Bench, RATE_HZ, tone};

/// Little of everything.
const EVALUATE: &str =
    "evaluate --data data --split all --speakers 2 --prompt-seconds 0.5 --seconds 0.2";

/// The columns of one number of quantizers.
fn column(report: &Value, name: &str) -> Vec<f64> {
    let rows = report["codec"]["rows"].as_array().unwrap();
    rows.iter().map(|it| it[name].as_f64().unwrap()).collect()
}

/// A run whose stages have been measured.
fn write_likelihood(bench: &Bench, stages: &[&str]) {
    for (idx, stage) in stages.iter().enumerate() {
        let folder = bench.path("run/export").join(stage);
        fs::create_dir_all(&folder).unwrap();
        let text = json!({"nats_per_token": idx, "bigram_nats_per_token": idx + 1, "n_tokens": 9});
        fs::write(folder.join("likelihood.json"), text.to_string()).unwrap();
    }
}

#[test]
fn codec_and_continuations_are_measured() {
    let report = Bench::with_data().json(&format!("{EVALUATE} --seed 3"));
    assert_eq!(column(&report, "quantizers"), [1.0, 3.0, N_QUANTIZERS as f64]);
    assert!(column(&report, "stoi").iter().all(|it| (-1.0..=1.0).contains(it)));
    assert!(column(&report, "log_mel_distance").iter().all(|it| *it > 0.0));
    assert_eq!(report["codec"]["n_passages"], 2);
    assert_eq!(report["codec"]["seconds"], 6.0);

    let continuation = &report["continuation"];
    assert_eq!(continuation["speakers"], json!(["a", "b"]));
    assert_eq!(continuation["prompt_seconds"], 0.5);
    assert_eq!(continuation["seconds"], 0.2);
    assert_eq!(continuation["seed"], 3);
    assert!(continuation["real_time_factor"].as_f64().unwrap() > 0.0);
    assert_eq!(report["likelihood"], Value::Null);
}

#[test]
fn the_seed_decides() {
    let bench = Bench::with_data();
    let heard = |seed: u64| {
        bench.json(&format!("{EVALUATE} --audio heard --seed {seed}"));
        fs::read(bench.path("heard/00-a-continuation.wav")).unwrap()
    };
    let first = heard(1);
    assert!(heard(1) == first);
    assert!(heard(2) != first);
}

#[test]
fn sounds_are_there_to_be_listened_to() {
    let bench = Bench::with_data();
    bench.json(&format!("{EVALUATE} --audio heard/now"));
    for (kind, seconds) in [("prompt", 0.5), ("continuation", 0.2), ("reconstruction", 0.5)] {
        for speaker in ["00-a", "01-b"] {
            let path = bench.path("heard/now").join(format!("{speaker}-{kind}.wav"));
            let clip = Clip::read(path).unwrap();
            assert_eq!((clip.seconds(), clip.sample_rate_hz), (seconds, RATE_HZ));
        }
    }
    let prompt = Clip::read(bench.path("heard/now/00-a-prompt.wav")).unwrap();
    let differences = prompt.samples.iter().zip(tone(0.5).samples).map(|(a, b)| (a - b).abs());
    assert!(differences.fold(0.0, f32::max) < 1e-3);
}

#[test]
fn short_recordings_of_any_rate_are_joined() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("data/a")).unwrap();
    for name in ["1.wav", "2.wav"] {
        let clip = tone(0.8).resampled(22_050).unwrap();
        clip.write_wav(bench.path("data/a").join(name)).unwrap();
    }
    let report = bench.json(&EVALUATE.replace("--prompt-seconds 0.5", "--prompt-seconds 1"));
    assert_eq!(report["codec"]["n_passages"], 1);
    assert!((report["codec"]["seconds"].as_f64().unwrap() - 1.6).abs() < 1e-3);
    assert_eq!(report["continuation"]["prompt_seconds"], 1.0);
}

#[test]
fn the_report_is_written_and_shown() {
    let bench = Bench::with_data();
    write_likelihood(&bench, &["semantic", "coarse", "fine"]);
    let called = bench.call(&format!("{EVALUATE} --run run -o report.json"));
    assert_eq!(called.code, Some(0), "{}", called.stderr);
    for shown in ["quantizers", "sound most like their own prompt (1 by chance)", "bigram"] {
        assert!(called.stdout.contains(shown), "{}", called.stdout);
    }
    let text = fs::read_to_string(bench.path("report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let coarse = json!({"stage": "coarse", "nats_per_token": 1.0, "bigram_nats_per_token": 2.0, "n_tokens": 9});
    assert_eq!(report["likelihood"][1], coarse);
}

#[test]
fn a_manifest_says_what_is_held_out() {
    let bench = Bench::with_data();
    let rows = "path,split,set,speaker\n\
                a/tone.wav,train,read,A\n\
                b/tone.wav,test,read,B\n\
                c/tone.wav,test,told,C\n";
    fs::write(bench.path("other.csv"), rows).unwrap();
    let speakers = |options: &str| {
        let arguments = EVALUATE.replace("--split all", options);
        bench.json(&format!("{arguments} --manifest other.csv"))["continuation"]["speakers"].clone()
    };
    assert_eq!(speakers(""), json!(["B", "C"]));
    assert_eq!(speakers("--split train"), json!(["A"]));
    assert_eq!(speakers("--set told"), json!(["C"]));
    assert_eq!(speakers("--set told --set read"), json!(["B", "C"]));
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let bench = Bench::with_data();
    let check = |arguments: &str, code: i32, parts: &[&str]| {
        bench.check_refused(&format!("evaluate {arguments}"), code, parts);
    };
    check("", 2, &["--data"]);
    check("--data data --speakers 0", 2, &["'0'", "--speakers", "expected"]);
    check("--data data --split tset", 2, &["'tset'", "test"]);
    check("--data nowhere", 1, &["nowhere: expected a folder"]);
    check("--data data", 1, &["data: no recordings in this split", "0 test", "--split"]);
    check("--data data --set read", 1, &["manifest.csv"]);
    check("--data data -o report.txt", 1, &["report.txt", "ends in .json"]);
    check("--data data --split all --audio prompt.wav", 1, &["prompt.wav"]);
    check("--data data --split all --bundle nowhere", 1, &["nowhere/bundle.json"]);
}
#[test]
fn stages_that_have_not_finished_are_named() {
    let bench = Bench::with_data();
    write_likelihood(&bench, &["semantic", "coarse"]);
    let parts = ["run/export/fine/likelihood.json", "once the stage has finished"];
    bench.check_refused(&format!("{EVALUATE} --run run"), 1, &parts);
    write_likelihood(&bench, &["semantic", "coarse", "fine"]);
    fs::write(bench.path("run/export/coarse/likelihood.json"), "{}").unwrap();
    let parts = ["run/export/coarse/likelihood.json", "expected nats_per_token"];
    bench.check_refused(&format!("{EVALUATE} --run run"), 1, &parts);
}
#[test]
fn speakers_that_cannot_be_heard_are_named() {
    let bench = Bench::with_data();
    let silence = Clip { samples: vec![0.0; 3 * RATE_HZ as usize], sample_rate_hz: RATE_HZ };
    silence.write_wav(bench.path("data/b/tone.wav")).unwrap();
    bench.check_refused(EVALUATE, 1, &["speaker b", "silent"]);
    tone(0.3).write_wav(bench.path("data/b/tone.wav")).unwrap();
    bench.check_refused(EVALUATE, 1, &["speaker b", "STOI"]);
}
