//! ABX from the command line, of models that know nothing, on words that are tones.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::fs;

use audiolm::Clip;
use serde_json::{Value, json};
use support::{Bench, RATE_HZ};

/// Examples of a word by a speaker.
const EXAMPLES: usize = 3;

/// "high" and "low" by two held-out speakers, and by one to learn from.
fn words() -> Bench {
    let bench = Bench::new();
    let mut manifest = "path,split,speaker,transcript\n".to_owned();
    for (speaker, split, pitch) in [("a", "valid", 1.0), ("b", "test", 1.1), ("c", "train", 1.2)] {
        for (word, hertz) in [("low", 300.0), ("high", 2000.0)] {
            for example in 0..EXAMPLES {
                let name = format!("{speaker}-{word}-{example}.wav");
                let samples = 5000 + 640 * example;
                tone(hertz * pitch, samples).write_wav(bench.path(&name)).unwrap();
                manifest += &format!("{name},{split},{speaker},{word}\n");
            }
        }
    }
    fs::write(bench.path("manifest.csv"), manifest).unwrap();
    bench
}

fn tone(hertz: f32, n_samples: usize) -> Clip {
    let sample = |n| 0.1 * (n as f32 * std::f32::consts::TAU * hertz / RATE_HZ as f32).sin();
    Clip { samples: (0..n_samples).map(sample).collect(), sample_rate_hz: RATE_HZ }
}

fn row<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rows = report["rows"].as_array().unwrap();
    let named = |it: &&Value| it["representation"].as_str().unwrap().starts_with(name);
    rows.iter().find(named).unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn words_are_told_apart_by_what_hears_their_pitch() {
    let report = words().json("abx --data . --seed 5");
    assert_eq!(report["speakers"], json!(["a", "b"]));
    assert_eq!((&report["n_categories"], &report["seed"]), (&json!(2), &json!(5)));
    assert_eq!(report["n_examples"], 4 * EXAMPLES);
    assert_eq!(row(&report, "MFCC")["within"], 0.0);
    assert_eq!(row(&report, "MFCC")["across"], 0.0);
    for name in ["codec, 1 quantizer", "semantic features", "semantic tokens"] {
        let error = row(&report, name)["within"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&error), "{name}: {error}");
    }
}

#[test]
fn a_tokenizer_alone_is_measured_as_in_its_bundle() {
    let bench = words();
    let whole = bench.json("abx --data .");
    let folder = support::bundle().join("semantic-tokenizer");
    let alone = bench.json(&format!("abx --data . --tokenizer {}", folder.display()));
    for name in ["MFCC", "semantic features", "semantic tokens"] {
        assert_eq!(row(&alone, name), row(&whole, name));
    }
    assert!(!alone.to_string().contains("codec"), "{alone}");
}

#[test]
fn one_speaker_alone_has_no_errors_across() {
    let bench = words();
    let report = bench.json("abx --data . --split test -o report.json");
    assert_eq!(row(&report, "MFCC")["across"], Value::Null);
    let written: Value =
        serde_json::from_slice(&fs::read(bench.path("report.json")).unwrap()).unwrap();
    assert_eq!(written, report);
}

#[test]
fn phones_within_a_recording_are_cut_out() {
    let bench = words();
    let mut items = "#file onset offset #phone prev-phone next-phone speaker\n".to_owned();
    for word in ["low", "high"] {
        for example in 0..2 {
            items += &format!("a-{word}-{example} 0.05 0.25 {word} SIL SIL a\n");
        }
    }
    fs::write(bench.path("a.item"), &items).unwrap();
    let report = bench.json("abx --data . --items a.item");
    assert_eq!((&report["n_examples"], &report["speakers"]), (&json!(4), &json!(["a"])));
    assert_eq!(row(&report, "MFCC")["within"], 0.0);

    fs::write(bench.path("a.item"), items + "nobody 0.1 0.2 low SIL SIL a\n").unwrap();
    bench.check_refused("abx --data . --items a.item", 1, &["nobody", "no recording"]);
}

#[test]
fn what_has_no_label_is_named() {
    let bench = Bench::with_data();
    bench.check_refused("abx --data data --split train", 1, &["tone.wav", "transcript"]);
    bench.check_refused("abx --data nowhere", 1, &["nowhere"]);
}
