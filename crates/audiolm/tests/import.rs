//! `audiolm import`, on small encoders with random weights: see
//! `crates/audiolm-semantic/tests/fixtures`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::Bench;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../audiolm-semantic/tests/fixtures").join(name)
}

fn copy(from: &str, to: &Path) {
    fs::copy(fixture(from), to).unwrap();
}

/// With the folder `hubert` of transformers, the checkpoint `hubert.pt` of fairseq, and `km.joblib`
/// for the former.
fn bench() -> Bench {
    let bench = Bench::with_data();
    copy_folder(&bench.path("hubert"));
    copy("fairseq/hubert_namespace.pt", &bench.path("hubert.pt"));
    copy("kmeans/kmeans.joblib", &bench.path("km.joblib"));
    bench
}

fn copy_folder(to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in ["config.json", "model.safetensors"] {
        copy(&format!("hubert_base/{file}"), &to.join(file));
    }
}

#[test]
fn an_encoder_is_converted() {
    let bench = bench();
    let made = bench.json("import hubert.pt -o encoder");
    assert_eq!((&made["kind"], &made["layers"]), (&"encoder".into(), &2.into()));
    for file in ["config.json", "model.safetensors"] {
        assert!(bench.path("encoder").join(file).is_file(), "{file}");
    }
    assert_eq!(bench.json("import hubert -o other")["features"], 48);
}

#[test]
fn an_encoder_and_k_means_make_a_tokenizer() {
    let bench = bench();
    let arguments = "import hubert --kmeans km.joblib --layer 2 -o tokenizer";
    let made = bench.json(arguments);
    assert_eq!((&made["kind"], &made["clusters"]), (&"tokenizer".into(), &40.into()));
    let tokens = bench.json("tokenize prompt.wav --tokenizer tokenizer");
    let numbers = |key: &str| -> Vec<u64> {
        tokens[key].as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect()
    };
    // Two seconds of 50 frames.
    assert_eq!(numbers("durations").iter().sum::<u64>(), 100);
    assert!(numbers("semantic_ids").iter().all(|it| *it < 40));
    let shown = bench.call("tokenize prompt.wav --tokenizer tokenizer").stdout;
    assert!(shown.contains("50 frames per second") && !shown.contains("codes"), "{shown}");
    bench.check_refused(arguments, 1, &["tokenizer", "is there already"]);
}

#[test]
fn language_models_are_trained_on_an_imported_tokenizer_and_a_codec() {
    let bench = bench();
    fs::create_dir(bench.path("both")).unwrap();
    bench.json("import hubert --kmeans km.joblib --layer 2 -o both/semantic-tokenizer");
    fs::create_dir(bench.path("both/codec")).unwrap();
    for file in ["config.json", "model.safetensors"] {
        let codec = fixture("../../../audiolm-codec/tests/fixtures/dac_16khz").join(file);
        fs::copy(codec, bench.path("both/codec").join(file)).unwrap();
    }
    let numbers = "[kmeans]\nn_clusters = 40\n[semantic.model]\nn_ids = 40\n\
                   [coarse.model]\nn_semantic_ids = 40\n";
    fs::write(bench.path("over.toml"), numbers).unwrap();
    let train = "train semantic --data data --run run --preset smoke --tokenizers both";
    bench.json(&format!("{train} --config over.toml"));
    let taken = |name: &str| fs::read(bench.path(name).join("model.safetensors")).unwrap();
    assert!(taken("run/export/semantic-tokenizer") == taken("both/semantic-tokenizer"));
    let other =
        bench.call("train semantic --data data --run other --preset smoke --tokenizers both");
    other.check_refused(1, &["kmeans.n_clusters", "expected 40"]);
}

#[test]
fn k_means_alone_is_converted() {
    let made = bench().json("import km.joblib -o clusters");
    assert_eq!((&made["kind"], &made["features"]), (&"clustering".into(), &48.into()));
}

#[test]
fn an_encoder_by_name_comes_from_the_cache() {
    let bench = bench();
    let cache = bench.path("home/hub/models--org--hubert");
    copy_folder(&cache.join("snapshots/abc"));
    fs::create_dir_all(cache.join("refs")).unwrap();
    fs::write(cache.join("refs/main"), "abc").unwrap();
    let home = bench.path("home");
    let offline = [("HF_HOME", home.to_str().unwrap()), ("HF_HUB_OFFLINE", "1")];
    let called = bench.call_with("import org/hubert -o encoder", &offline);
    assert_eq!(called.code, Some(0), "{}", called.stderr);
    let called = bench.call_with("import org/other -o x", &offline);
    called.check_refused(1, &["org/other", "model.safetensors", "HF_HUB_OFFLINE"]);
}

#[test]
fn what_cannot_be_converted_is_refused_and_leaves_nothing() {
    let bench = bench();
    copy("fairseq/wavlm.pt", &bench.path("cut.pt"));
    let whole = fs::read(bench.path("cut.pt")).unwrap();
    fs::write(bench.path("cut.pt"), &whole[..whole.len() / 2]).unwrap();
    fs::write(bench.path("evil.joblib"), b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.").unwrap();
    let check = |arguments: &str, code: i32, parts: &[&str]| {
        bench.check_refused(&format!("import {arguments}"), code, parts);
    };
    check("nowhere -o x", 1, &["nowhere", "expected a folder"]);
    check("data -o x", 1, &["data/config.json"]);
    check("cut.pt -o x", 1, &["cut.pt", "damaged zip archive"]);
    check("evil.joblib -o x", 1, &["evil.joblib", "expected KMeans", "an object (os.system)"]);
    check("hubert --kmeans evil.joblib --layer 1 -o x", 1, &["evil.joblib", "os.system"]);
    check("hubert --kmeans km.joblib --layer 7 -o x", 1, &["layer 7", "encoder has 3"]);
    check("hubert.pt --kmeans km.joblib --layer 1 -o x", 1, &["48 features", "gives 16"]);
    check("hubert/model.safetensors -o x", 1, &["model.safetensors", "the folder of the model"]);
    check("hubert -o nowhere/x", 1, &["nowhere/x", "cannot be written"]);
    check("hubert -o x --kmeans km.joblib", 2, &["--layer"]);
    check("hubert -o x --layer 1", 2, &["--kmeans"]);
}
