//! What each command does.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use audiolm::Clip;
use audiolm::pipeline::testing::N_QUANTIZERS;
use support::{Bench, RATE_HZ};

/// A frame of the codec, the precision of lengths.
const FRAME_SECONDS: f64 = 0.02;

#[track_caller]
fn check_length(bench: &Bench, name: &str, expected_seconds: f64) {
    let clip = Clip::read(bench.path(name)).unwrap();
    assert_eq!(clip.sample_rate_hz, RATE_HZ);
    let seconds = clip.seconds();
    assert!((seconds - expected_seconds).abs() <= FRAME_SECONDS, "{name} lasts {seconds} s");
}

#[test]
fn continue_keeps_the_prompt_and_goes_on() {
    let bench = Bench::new();
    let options = "--seconds 0.5 --prompt-seconds 1 --seed 3";
    let result = bench.json(&format!("continue prompt.wav -o out.wav {options}"));
    check_length(&bench, "out.wav", 1.5);
    assert_eq!(result["prompt_seconds"], 1.0);
    assert_eq!(result["seed"], 3);
    assert!(result["output"].as_str().unwrap().ends_with("out.wav"));

    let (prompt, out) = (bench.path("prompt.wav"), bench.path("out.wav"));
    let kept = |path| Clip::read(path).unwrap().excerpt(0.0, 0.97).samples;
    let differences = kept(prompt).into_iter().zip(kept(out)).map(|(a, b)| (a - b).abs());
    assert!(differences.fold(0.0, f32::max) < 1e-3);
}

#[test]
fn codes_can_be_drawn_in_parallel() {
    let bench = Bench::new();
    let options = "--seconds 0.5 --prompt-seconds 1 --seed 3";
    for decoder in ["parallel", "autoregressive"] {
        bench.json(&format!("continue prompt.wav -o {decoder}.wav --decoder {decoder} {options}"));
        check_length(&bench, &format!("{decoder}.wav"), 1.5);
    }
    let bytes = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert_ne!(bytes("parallel.wav"), bytes("autoregressive.wav"));
    bench.json("generate -o nothing.wav --seconds 0.5 --decoder parallel --temperature 1");
    check_length(&bench, "nothing.wav", 0.5);
    bench.json("resynthesize prompt.wav -o other.wav --decoder parallel");
    check_length(&bench, "other.wav", 2.0);
}

#[test]
fn continue_needs_nothing_of_the_user() {
    let bench = Bench::new();
    let called = bench.call("continue --seconds 0.2");
    assert_eq!(called.code, Some(0), "{}", called.stderr);
    assert!(called.stdout.contains("continuation.wav: 1.20 s"), "{}", called.stdout);
    check_length(&bench, "continuation.wav", 1.2);
}

#[test]
fn several_continuations_are_named_after_their_seeds() {
    let bench = Bench::new();
    let result = bench.json("continue prompt.wav -o out.wav --seconds 0.4 --seed 8 --n 2");
    let bytes = |name: &str| std::fs::read(bench.path(name)).unwrap();
    for (idx, seed) in [8, 9].into_iter().enumerate() {
        let alone = format!("continue prompt.wav -o alone.wav --seconds 0.4 --seed {seed}");
        bench.json(&alone);
        assert!(bytes(&format!("out-{seed}.wav")) == bytes("alone.wav"));
        let take = &result["takes"][idx];
        assert_eq!(take["seed"], seed);
        assert!(take["likelihood"]["semantic"].as_f64().unwrap() < 0.0);
    }
    assert!(!bench.path("out.wav").exists());
}

#[test]
fn the_best_of_several_continuations_is_the_likeliest() {
    let bench = Bench::new();
    let result = bench.json("continue prompt.wav -o best.wav --seconds 0.4 --best-of 3");
    let score = |idx: usize| result["takes"][idx]["score"].as_f64().unwrap();
    let seed = result["seed"].as_u64().unwrap();
    assert!((0..3).all(|idx| score(idx) <= score(seed as usize)));
    bench.json(&format!("continue prompt.wav -o alone.wav --seconds 0.4 --seed {seed}"));
    let bytes = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert!(bytes("best.wav") == bytes("alone.wav"));
}

#[test]
fn a_recording_is_compressed_and_back() {
    let bench = Bench::new();
    let encoded = bench.json("encode prompt.wav -o prompt.alm --quantizers 3");
    assert_eq!(encoded["quantizers"], 3);
    let bytes = std::fs::metadata(bench.path("prompt.alm")).unwrap().len();
    assert_eq!(encoded["bytes"], bytes);
    assert_eq!(encoded["bits_per_second"].as_f64().unwrap() * 2.0 / 8.0, bytes as f64);

    bench.json("decode prompt.alm -o decoded.wav");
    bench.json("reconstruct prompt.wav -o reconstructed.wav --quantizers 3");
    let bytes = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert_eq!(bytes("decoded.wav"), bytes("reconstructed.wav"));
    let samples = |name: &str| Clip::read(bench.path(name)).unwrap().samples.len();
    assert_eq!(samples("decoded.wav"), samples("prompt.wav"));
}

#[test]
fn codes_go_through_pipes() {
    let bench = Bench::new();
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    bench.json("encode prompt.wav -o prompt.alm");
    bench.json("decode prompt.alm -o decoded.wav");
    let codes = bench.pipe("encode - -o -", read("prompt.wav"));
    assert!(codes == read("prompt.alm"));
    assert!(bench.pipe("decode - -o -", codes) == read("decoded.wav"));
    assert!(bench.pipe("reconstruct - -o -", read("prompt.wav")) == read("decoded.wav"));
}

#[test]
fn codes_are_packed_as_asked_for() {
    let bench = Bench::new();
    let bytes = |packing: &str| {
        let encoded =
            bench.json(&format!("encode prompt.wav -o {packing}.alm --packing {packing}"));
        bench.json(&format!("decode {packing}.alm -o {packing}.wav"));
        encoded["bytes"].as_u64().unwrap()
    };
    assert!(bytes("adaptive") < bytes("bits"));
    let sound = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert!(sound("adaptive.wav") == sound("bits.wav"));
    bench.json("decode bits.alm -o coarse.wav --quantizers 1");
    assert!(sound("coarse.wav") != sound("bits.wav"));
}

#[test]
fn the_seed_decides() {
    let bench = Bench::new();
    let bytes = |seed: u64, name: &str| {
        bench.json(&format!("generate -o {name} --seconds 0.5 --seed {seed}"));
        check_length(&bench, name, 0.5);
        std::fs::read(bench.path(name)).unwrap()
    };
    assert!(bytes(1, "one.wav") == bytes(1, "same.wav"));
    assert!(bytes(1, "one.wav") != bytes(2, "other.wav"));
}

#[test]
fn sampling_options_are_obeyed() {
    let bench = Bench::new();
    let bytes = |options: &str, seed: u64| {
        bench.json(&format!("generate -o made.wav --seconds 0.4 --seed {seed} {options}"));
        std::fs::read(bench.path("made.wav")).unwrap()
    };
    // A single seed may happen to draw what the option asks for without being asked.
    let matters = |options: &str| (0..5).any(|seed| bytes("", seed) != bytes(options, seed));
    for option in ["--temperature 5", "--top-p 0.2", "--min-p 0.9", "--redraw 0"] {
        assert!(matters(option), "{option}");
    }
    assert!(matters("--repetition-penalty 1e6"));
    for option in ["--min-p 0", "--repetition-penalty 1", "--redraw 1"] {
        assert!(bytes("", 0) == bytes(option, 0), "{option}");
    }
}

#[test]
fn the_likeliest_is_the_first_of_one() {
    let bench = Bench::new();
    // What the prompt recalls is mixed with what the models say at their temperature.
    let bytes = |option: &str| {
        bench.json(&format!("continue prompt.wav -o it.wav --seconds 0.4 --recall 0 {option}"));
        std::fs::read(bench.path("it.wav")).unwrap()
    };
    assert!(bytes("--temperature 0") == bytes("--top-k 1"));
}

#[test]
fn resynthesize_and_reconstruct_last_as_long() {
    let bench = Bench::new();
    bench.json("resynthesize prompt.wav -o voice.wav");
    check_length(&bench, "voice.wav", 2.0);
    bench.json("reconstruct prompt.wav -o all.wav");
    check_length(&bench, "all.wav", 2.0);
    bench.json("reconstruct prompt.wav -o one.wav --quantizers 1");
    let bytes = |name| std::fs::read(bench.path(name)).unwrap();
    assert!(bytes("all.wav") != bytes("one.wav"));
}

#[test]
fn infill_leaves_what_is_outside_the_gap() {
    let bench = Bench::new();
    let arguments = "infill prompt.wav -o out.wav --from 0.5 --to 1 --candidates 2 --seed 3";
    let filled = bench.json(arguments);
    check_length(&bench, "out.wav", 2.0);
    assert_eq!(filled["gap_seconds"], serde_json::json!([0.5, 1.0]));
    assert_eq!(filled["semantic"]["log_likelihoods"].as_array().unwrap().len(), 2);
    assert!(filled["coarse"]["chosen"].as_u64().unwrap() < 2);
    let samples = |name| Clip::read(bench.path(name)).unwrap().samples;
    let (before, after) = (samples("prompt.wav"), samples("out.wav"));
    assert_eq!(before[..7680], after[..7680]);
    assert_ne!(before[8000..16_000], after[8000..16_000]);
    assert_eq!(before[16_320..], after[16_320..]);

    bench.json("infill prompt.wav -o longer.wav --from 1 --to 1 --seconds 0.5 --candidates 1");
    check_length(&bench, "longer.wav", 2.5);
    assert!(bench.call(arguments).stdout.contains("nats"));
}

#[test]
fn resynthesize_takes_a_voice_and_a_tempo() {
    let bench = Bench::new();
    support::tone(0.7).write_wav(bench.path("voice.wav")).unwrap();
    let bytes = |options: &str, name: &str| {
        bench.json(&format!("resynthesize prompt.wav -o {name} {options}"));
        std::fs::read(bench.path(name)).unwrap()
    };
    let own = bytes("", "own.wav");
    assert!(own != bytes("--voice voice.wav", "voiced.wav"));
    check_length(&bench, "voiced.wav", 2.0);
    let short = bytes("--voice voice.wav --voice-seconds 0.3", "short.wav");
    assert!(short != bytes("--voice voice.wav", "voiced.wav"));
    bytes("--tempo 1.25 --voice voice.wav", "fast.wav");
    check_length(&bench, "fast.wav", 1.6);
    assert!(own == bytes("--stream --tempo 1", "streamed.wav"));
}

#[test]
fn tempo_and_acoustics_alone_keep_the_length() {
    let bench = Bench::new();
    let bytes = |options: &str, name: &str| {
        bench.json(&format!("generate -o {name} --seconds 0.5 {options}"));
        check_length(&bench, name, 0.5);
        std::fs::read(bench.path(name)).unwrap()
    };
    let plain = bytes("", "plain.wav");
    assert!(plain == bytes("--tempo 1", "same.wav"));
    assert!(plain != bytes("--tempo 2", "fast.wav"));
    assert!(plain != bytes("--acoustic-only", "acoustic.wav"));
    bench.json("continue prompt.wav -o on.wav --seconds 0.5 --prompt-seconds 1 --acoustic-only");
    check_length(&bench, "on.wav", 1.5);
}

#[test]
fn tokenize_shows_ids_durations_and_codes() {
    let tokens = Bench::new().json("tokenize prompt.wav");
    let lengths = |it: &serde_json::Value| it.as_array().unwrap().len();
    let durations = tokens["durations"].as_array().unwrap();
    assert_eq!(lengths(&tokens["semantic_ids"]), durations.len());
    assert_eq!(durations.iter().map(|it| it.as_u64().unwrap()).sum::<u64>(), 100);
    assert_eq!(lengths(&tokens["codes"]), N_QUANTIZERS);
    assert_eq!(lengths(&tokens["codes"][0]), 100);
    assert_eq!(tokens["frames_per_second"], 50.0);
}

#[test]
fn info_shows_what_a_bundle_holds() {
    let bench = Bench::new();
    let bundle = bench.json("info");
    assert_eq!(bundle["name"], "tiny");
    assert_eq!(bundle["weights"].as_array().unwrap().len(), 6);
    assert!(bundle["weights"][1]["parameters"].as_u64().unwrap() > 0);
    bench.copied_bundle();
    let weights = bench.json("info bundle/codec/model.safetensors");
    assert_eq!(weights["parameters"], bundle["weights"][1]["parameters"]);
}

#[test]
fn spectrogram_draws_a_picture() {
    let bench = Bench::new();
    bench.json("spectrogram prompt.wav prompt.wav -o out.png");
    assert_eq!(&std::fs::read(bench.path("out.png")).unwrap()[1..4], b"PNG");
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in ["--help", "--version", "continue --help", "train --help"] {
        let called = Bench::new().call(arguments);
        assert_eq!(called.code, Some(0), "{arguments}");
        assert!(called.stdout.contains("audiolm"), "{arguments}");
    }
}
