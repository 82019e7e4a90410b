//! Commands with a codec that was named, by path and as on Hugging Face, without a network. The
//! weights are small and random: see `crates/audiolm-codec/tests/fixtures`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use audiolm::Clip;
use support::Bench;

/// With the folder `dac` of a codec.
fn bench() -> Bench {
    let bench = Bench::with_data();
    copy(&bench.path("dac"));
    bench
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../audiolm-codec/tests/fixtures/dac_16khz")
}

fn copy(to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixture().join(file), to.join(file)).unwrap();
    }
}

#[test]
fn a_codec_by_path_needs_no_bundle() {
    let bench = bench();
    let encoded = bench.json("encode prompt.wav -o prompt.alm --codec dac --quantizers 4");
    assert_eq!(encoded["quantizers"], 4);
    bench.json("decode prompt.alm -o decoded.wav --codec dac");
    bench.json("reconstruct prompt.wav -o again.wav --codec dac --quantizers 4");
    let samples = |name: &str| Clip::read(bench.path(name)).unwrap().samples;
    assert_eq!(samples("decoded.wav").len(), samples("prompt.wav").len());
    assert_eq!(samples("decoded.wav"), samples("again.wav"));
    let other = bench.call("decode prompt.alm -o other.wav");
    other.check_refused(1, &["prompt.alm", "another codec"]);
}

#[test]
fn a_codec_by_name_comes_from_the_cache() {
    let bench = bench();
    let cache = bench.path("home/hub/models--org--dac");
    copy(&cache.join("snapshots/abc"));
    fs::create_dir_all(cache.join("refs")).unwrap();
    fs::write(cache.join("refs/main"), "abc").unwrap();
    let home = bench.path("home");
    let offline = [("HF_HOME", home.to_str().unwrap()), ("HF_HUB_OFFLINE", "1")];
    let called = bench.call_with("reconstruct prompt.wav -o again.wav --codec org/dac", &offline);
    assert_eq!(called.code, Some(0), "{}", called.stderr);
    let called = bench.call_with("reconstruct prompt.wav -o x.wav --codec org/other", &offline);
    called.check_refused(1, &["org/other", "model.safetensors", "HF_HUB_OFFLINE"]);
}

#[test]
fn what_is_no_codec_is_refused() {
    let bench = bench();
    let check = |codec: &str, code: i32, parts: &[&str]| {
        let arguments = format!("reconstruct prompt.wav -o x.wav --codec {codec}");
        bench.check_refused(&arguments, code, parts);
    };
    check("nowhere", 1, &["nowhere", "expected a folder", "facebook/encodec_24khz"]);
    check("data", 1, &["data", "config.json"]);
    check("dac --bundle elsewhere", 2, &["--codec", "--bundle"]);
}

#[test]
fn a_run_that_took_a_codec_trains_none() {
    let bench = bench();
    let train = "--data data --run run --preset smoke --config all.toml";
    fs::write(bench.path("all.toml"), "[fine.model]\nn_quantizers = 6\n").unwrap();
    bench.json(&format!("train semantic-encoder {train} --codec dac"));
    let published = fs::read(fixture().join("model.safetensors")).unwrap();
    assert!(fs::read(bench.path("run/export/codec/model.safetensors")).unwrap() == published);
    let called = bench.call(&format!("train codec {train}"));
    called.check_refused(1, &["run", "taken a codec"]);
    let trained = bench.json(&format!("train all {train}"));
    let finished = ["semantic-encoder", "kmeans", "semantic", "coarse", "fine"];
    assert_eq!(trained["finished"], serde_json::json!(finished));

    bench.json("bundle --run run -o made --name made");
    let tokens = bench.json("tokenize prompt.wav --bundle made");
    assert_eq!(tokens["codes"].as_array().unwrap().len(), 6);
    bench.json("card --bundle made --run run");
    let card = fs::read_to_string(bench.path("made/README.md")).unwrap();
    assert!(card.contains("codes are those of DAC as it was published, 6 quantizers"), "{card}");
    assert!(card.contains("| coarse | 4 |") && !card.contains("| codec | 4 |"), "{card}");
}
