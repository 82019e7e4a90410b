//! What cannot be done is refused in one line that names it, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::fs;

use audiolm::codec::{CodeFile, CodeFileHeader, CodePacking, CodecId};

use support::Bench;

/// Refused for what it is given.
const FAILED: i32 = 1;
/// Refused for how it is called.
const MISUSED: i32 = 2;

/// Everything `continue` needs, so that a test can add what is wrong.
const CONTINUE: &str = "continue prompt.wav -o out.wav --seconds 0.2";

#[track_caller]
fn check(arguments: &str, code: i32, parts: &[&str]) {
    Bench::new().check_refused(arguments, code, parts);
}

/// Refused for an option of `continue`.
#[track_caller]
fn check_option(option: &str, value: &str) {
    let arguments = format!("continue prompt.wav -o out.wav {option} {value}");
    check(&arguments, MISUSED, &[&format!("'{value}'"), option, "expected"]);
}

#[test]
fn nonsense_lengths() {
    for value in ["0", "-1", "NaN", "inf", "1e9", "four"] {
        check_option("--seconds", value);
    }
    check_option("--prompt-seconds", "-3");
}
#[test]
fn nonsense_sampling() {
    check_option("--temperature", "NaN");
    check_option("--temperature", "-0.5");
    check_option("--top-k", "0");
    check_option("--top-k", "-2");
    check_option("--top-p", "0");
    check_option("--top-p", "1.5");
    let unguided = "continue prompt.wav -o out.wav --text seven --guidance 0";
    check(unguided, MISUSED, &["'0'", "--guidance", "expected"]);
    check_option("--min-p", "1.5");
    check_option("--repetition-penalty", "0.5");
    check_option("--redraw", "2");
    check_option("--n", "0");
    check_option("--best-of", "none");
}
#[test]
fn models_that_have_not_learnt_to_listen() {
    let expected = &["not learnt to be told anything"];
    check("generate -o out.wav --text seven", FAILED, expected);
    check(&format!("{CONTINUE} --text seven"), FAILED, expected);
}
#[test]
fn nonsense_arguments() {
    check("contine prompt.wav", MISUSED, &["'contine'", "'continue'"]);
    check(&format!("{CONTINUE} --loudness 3"), MISUSED, &["'--loudness'"]);
    check(&format!("{CONTINUE} --seed -1"), MISUSED, &["'-1'", "--seed", "whole number"]);
    check("reconstruct prompt.wav", MISUSED, &["--output"]);
    check("train sematic --data . --run run", MISUSED, &["'sematic'", "semantic-encoder"]);
}

#[test]
fn several_continuations_at_once_and_one_of_them() {
    check(&format!("{CONTINUE} --n 2 --best-of 2"), MISUSED, &["--n", "--best-of"]);
    check(&format!("{CONTINUE} --n 2 --stream"), MISUSED, &["--n", "--stream"]);
    check("continue prompt.wav -o - --n 2", FAILED, &["-: several continuations need the name"]);
}
#[test]
fn gaps_that_are_none() {
    let check = |gap: &str, code: i32, parts: &[&str]| {
        check(&format!("infill prompt.wav -o out.wav {gap}"), code, parts);
    };
    check("--from 1", MISUSED, &["--to"]);
    check("--from -1 --to 1", MISUSED, &["'-1'", "--from", "expected"]);
    check("--from 1.5 --to 2.5", FAILED, &["prompt.wav", "within the recording", "2.000 s"]);
    check("--from 1 --to 1", FAILED, &["prompt.wav", "no length"]);
    check("--from 0 --to 1.9", FAILED, &["prompt.wav", "0.100 s are left"]);
    check("--from 0.5 --to 1 --candidates 0", MISUSED, &["'0'", "--candidates", "expected"]);
}
#[test]
fn tempos_and_voices_that_make_no_sense() {
    let resynthesize = "resynthesize prompt.wav -o out.wav";
    check(&format!("{resynthesize} --tempo 9"), MISUSED, &["'9'", "--tempo", "expected"]);
    check(&format!("{resynthesize} --voice-seconds 1"), MISUSED, &["--voice"]);
    check(&format!("{resynthesize} --voice nothing.wav"), FAILED, &["nothing.wav: no such file"]);
    check(
        "generate -o out.wav --tempo 2 --acoustic-only",
        MISUSED,
        &["--tempo", "--acoustic-only"],
    );
}

#[test]
fn devices_that_are_not_there() {
    check(&format!("{CONTINUE} --device tpu"), MISUSED, &["tpu", "flex, wgpu"]);
    let called = Bench::new().call_with(CONTINUE, &[("BURN_DEVICE", "tpu")]);
    called.check_refused(FAILED, &["tpu", "flex, wgpu"]);
}
#[test]
#[cfg(not(feature = "cuda"))]
fn devices_that_are_not_compiled_in() {
    let parts = ["cuda:1 is not compiled in", "--features cuda"];
    check(&format!("{CONTINUE} --device cuda:1"), FAILED, &parts);
    let called = Bench::new().call_with(CONTINUE, &[("BURN_DEVICE", "cuda")]);
    called.check_refused(FAILED, &["cuda is not compiled in"]);
}

#[test]
fn recordings_that_are_not_there() {
    check("continue nothing.wav -o out.wav", FAILED, &["nothing.wav: no such file"]);
    check("resynthesize nothing.wav -o out.wav", FAILED, &["nothing.wav: no such file"]);
    check("reconstruct nothing.wav -o out.wav", FAILED, &["nothing.wav: no such file"]);
    check("encode nothing.wav -o out.alm", FAILED, &["nothing.wav: no such file"]);
    check("decode nothing.alm -o out.wav", FAILED, &["nothing.alm"]);
    check("tokenize nothing.wav", FAILED, &["nothing.wav: no such file"]);
    check("spectrogram nothing.wav -o out.png", FAILED, &["nothing.wav: no such file"]);
}
#[test]
fn recordings_that_cannot_be_read() {
    let bench = Bench::new();
    fs::write(bench.path("text.wav"), "this is no sound at all").unwrap();
    fs::write(bench.path("empty.wav"), "").unwrap();
    let prompt = fs::read(bench.path("prompt.wav")).unwrap();
    fs::write(bench.path("cut.wav"), &prompt[..prompt.len() / 2]).unwrap();
    bench.check_refused("continue text.wav -o out.wav", FAILED, &["text.wav: expected WAV"]);
    bench.check_refused("continue empty.wav -o out.wav", FAILED, &["empty.wav: the file is empty"]);
    bench.check_refused("reconstruct cut.wav -o out.wav", FAILED, &["cut.wav: truncated"]);
    bench.check_refused("tokenize .", FAILED, &[".: cannot be read"]);
}
#[test]
fn codes_that_cannot_be_read() {
    let bench = Bench::new();
    bench.json("encode prompt.wav -o whole.alm");
    let whole = fs::read(bench.path("whole.alm")).unwrap();
    fs::write(bench.path("cut.alm"), &whole[..whole.len() / 2]).unwrap();
    let mut other = CodeFile::from_bytes(&whole).unwrap();
    let codec = CodecId::from_sha256(&"7".repeat(64)).unwrap();
    other = CodeFile::new(CodeFileHeader { codec, ..*other.header() }, other.codes().to_vec());
    fs::write(bench.path("other.alm"), other.to_bytes(CodePacking::Bits)).unwrap();
    let check = |arguments: &str, parts: &[&str]| bench.check_refused(arguments, FAILED, parts);
    check("decode prompt.wav -o out.wav", &["prompt.wav: not a file of codes"]);
    check("decode cut.alm -o out.wav", &["cut.alm: damaged", "bytes"]);
    check("decode other.alm -o out.wav", &["other.alm", "another codec", "77777777"]);
    check("encode prompt.wav -o out.wav", &["out.wav", "ends in .alm"]);
    check("decode whole.alm -o out.wav --quantizers 5", &["between 1 and 4, found 5"]);
    // Damage that shows at the end leaves nothing of what came before.
    let mut damaged = whole;
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(bench.path("damaged.alm"), damaged).unwrap();
    check("decode damaged.alm -o out.wav", &["damaged.alm: damaged", "checksum"]);
}
#[test]
fn recordings_that_are_too_short() {
    let bench = Bench::new();
    support::tone(0.05).write_wav(bench.path("short.wav")).unwrap();
    bench.check_refused("continue short.wav -o out.wav", FAILED, &["short.wav", "0.050 s"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    check("continue prompt.wav -o missing/out.wav", FAILED, &["missing/out.wav", "no folder"]);
    check("continue prompt.wav -o out.mp3", FAILED, &["out.mp3", "ends in .wav"]);
    check("continue prompt.wav -o prompt.wav", FAILED, &["would replace the input"]);
    check("generate -o . --seconds 1", FAILED, &["ends in .wav"]);
    check("spectrogram prompt.wav -o out.wav", FAILED, &["out.wav", "ends in .png"]);
}

#[test]
fn more_quantizers_than_there_are() {
    let parts = ["quantizers must be between 1 and 4, found 9"];
    check("reconstruct prompt.wav -o out.wav --quantizers 9", FAILED, &parts);
}

#[test]
fn bundles_that_are_not_there() {
    check(&format!("{CONTINUE} --bundle nowhere"), FAILED, &["nowhere/bundle.json"]);
    check("info nowhere", FAILED, &["nowhere: no such file"]);
    check("info .", FAILED, &["expected a bundle"]);
}
#[test]
fn bundles_without_a_prompt() {
    let bench = Bench::new();
    fs::remove_file(bench.copied_bundle().join("prompt.wav")).unwrap();
    let parts = ["bundle/prompt.wav", "comes without a prompt"];
    bench.check_refused("continue -o out.wav --bundle bundle", FAILED, &parts);
}
#[test]
fn bundles_with_a_damaged_file() {
    let bench = Bench::new();
    let weights = bench.copied_bundle().join("codec/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let parts = ["codec/model.safetensors", "not the file this bundle was made with"];
    bench.check_refused(&format!("{CONTINUE} --bundle bundle"), FAILED, &parts);
}
#[test]
fn bundles_with_a_damaged_description() {
    let bench = Bench::new();
    fs::write(bench.copied_bundle().join("bundle.json"), "{\"version\": 1, ").unwrap();
    let parts = ["bundle.json: not what this file should hold"];
    bench.check_refused(&format!("{CONTINUE} --bundle bundle"), FAILED, &parts);
}
#[test]
fn bundles_with_a_swapped_stage() {
    let bench = Bench::new();
    let bundle = bench.copied_bundle();
    let (coarse, fine) = (bundle.join("coarse"), bundle.join("fine"));
    fs::rename(&coarse, bundle.join("aside")).unwrap();
    fs::rename(&fine, &coarse).unwrap();
    fs::rename(bundle.join("aside"), &fine).unwrap();
    let parts = ["coarse", "swapped"];
    bench.check_refused(&format!("{CONTINUE} --bundle bundle"), FAILED, &parts);
}
#[test]
fn bundles_without_a_file() {
    let bench = Bench::new();
    fs::remove_file(bench.copied_bundle().join("fine/config.json")).unwrap();
    bench.check_refused(&format!("{CONTINUE} --bundle bundle"), FAILED, &["fine/config.json"]);
}

#[test]
fn training_on_nothing() {
    check("train codec --run run", FAILED, &["--data DIR is missing"]);
    check("train codec --data nowhere --run run --preset smoke", FAILED, &["nowhere"]);
    check("bundle --run . -o new --name new", FAILED, &["plan.toml"]);
    check("plot --run .", FAILED, &["nothing to draw"]);
}
#[test]
fn training_with_settings_that_mean_nothing() {
    let bench = Bench::new();
    fs::write(bench.path("over.toml"), "[codec]\nbatches = 3\n").unwrap();
    let arguments = "train codec --data . --run run --config over.toml";
    bench.check_refused(arguments, FAILED, &["over.toml", "codec.batches", "batch, "]);
}
