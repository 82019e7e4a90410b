//! Checkpoints as fairseq has saved them over the years: see `tests/fixtures/fairseq/README.md`.

use std::path::PathBuf;

use safetensors::SafeTensors;

use super::*;
use crate::parity::fixture;

fn checkpoint(name: &str) -> Result<FairseqCheckpoint, SemanticError> {
    FairseqCheckpoint::open(&fixture("fairseq").join(name))
}

/// The older names of a weight-normed tensor, which fairseq's files have, for the newer ones.
fn older(name: &str) -> String {
    let name = name.replace("parametrizations.weight.original0", "weight_g");
    name.replace("parametrizations.weight.original1", "weight_v")
}

/// Compares every tensor, and what of the configuration tells the models apart.
#[track_caller]
fn check(name: &str, model: &str, expected: &Json) {
    let found = checkpoint(name).unwrap();
    let bytes = std::fs::read(fixture("fairseq").join(format!("{model}.safetensors"))).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let names: Vec<String> = found.arrays.keys().cloned().collect();
    let mut theirs: Vec<String> = tensors.names().into_iter().map(older).collect();
    theirs.sort();
    assert_eq!(names, theirs);
    for (name, view) in tensors.iter() {
        let array = &found.arrays[&older(name)];
        assert_eq!(array.shape(), view.shape(), "{name}");
        assert_eq!(array.read().unwrap(), view.data(), "{name}");
    }
    for (key, value) in expected.as_object().unwrap() {
        let found = found.config.get(key).or_else(|| found.preprocessor.get(key));
        assert_eq!(found, Some(value), "{key}");
    }
}

fn base() -> Json {
    json!({
        "model_type": "hubert", "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 24, "conv_dim": [4, 4, 4, 4, 4, 4, 4],
        "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2],
        "conv_bias": false, "feat_extract_norm": "group", "do_stable_layer_norm": false,
        "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
        "hidden_dropout": 0.1, "do_normalize": false, "sampling_rate": 16_000,
    })
}

#[test]
fn a_namespace_without_a_zip_archive_is_read() {
    check("hubert_namespace.pt", "hubert", &base());
}
#[test]
fn a_configuration_of_omegaconf_is_read() {
    check("hubert_omegaconf.pt", "hubert", &base());
}
#[test]
fn a_fine_tuned_model_gives_its_encoder() {
    check("hubert_fine_tuned.pt", "hubert", &base());
}
#[test]
fn wav2vec_2_in_the_shape_of_the_large_models_is_read() {
    let expected = json!({
        "model_type": "wav2vec2", "conv_bias": true, "feat_extract_norm": "layer",
        "do_stable_layer_norm": true, "do_normalize": true,
    });
    check("wav2vec2.pt", "large", &expected);
}
#[test]
fn wavlm_is_read() {
    let expected = json!({"model_type": "wavlm", "num_buckets": 16, "max_bucket_distance": 40, "hidden_size": 16});
    check("wavlm.pt", "wavlm", &expected);
}

#[test]
fn checkpoints_are_told_from_other_files() {
    let is_one = |path: PathBuf| FairseqCheckpoint::is_one(&path).unwrap();
    assert!(is_one(fixture("fairseq/wavlm.pt")) && is_one(fixture("fairseq/hubert_namespace.pt")));
    assert!(!is_one(fixture("fairseq/wavlm.safetensors")));
}

/// The checkpoint with another byte behind the name of a setting.
fn spoilt(setting: &str, from: &[u8], to: &[u8]) -> String {
    let mut bytes = std::fs::read(fixture("fairseq/hubert_namespace.pt")).unwrap();
    let place = |of: &[u8], what: &[u8]| of.windows(what.len()).position(|it| it == what).unwrap();
    let start = place(&bytes, setting.as_bytes());
    let at = start + place(&bytes[start..], from);
    bytes.splice(at..at + from.len(), to.iter().copied());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spoilt.pt");
    std::fs::write(&path, bytes).unwrap();
    FairseqCheckpoint::open(&path).unwrap_err().to_string()
}

#[track_caller]
fn check_refused(refusal: &str, parts: &[&str]) {
    for part in ["spoilt.pt"].iter().chain(parts) {
        assert!(refusal.contains(part), "{part:?} in {refusal}");
    }
}

#[test]
fn sizes_that_are_not_those_of_the_tensors_are_refused() {
    let layers = spoilt("encoder_layers", b"K\x02", b"K\x7f");
    check_refused(&layers, &["encoder_layers", "expected 2, as its tensors have, found 127"]);
    let width = spoilt("encoder_embed_dim", b"K\x10", b"K\x20");
    check_refused(&width, &["encoder_embed_dim", "expected 16", "found 32"]);
    let inner = spoilt("encoder_ffn_embed_dim", b"K\x18", b"K\x01");
    check_refused(&inner, &["encoder_ffn_embed_dim", "expected 24", "found 1"]);
    let taps = spoilt("conv_pos", b"K\x08", b"K\x09");
    check_refused(&taps, &["conv_pos", "expected 8", "found 9"]);
    let convolutions = spoilt("conv_feature_layers", b"(4,10,5)", b"(4,90,5)");
    check_refused(&convolutions, &["conv_feature_layers", "expected 10", "found 90"]);
}

#[test]
fn settings_of_another_model_are_refused() {
    check_refused(&spoilt("arch", b"hubert", b"roberx"), &["arch", "hubert, wav2vec2", "roberx"]);
    let activation = spoilt("activation_fn", b"gelu", b"relu");
    check_refused(&activation, &["activation_fn", "expected gelu", "relu"]);
    let expression = spoilt("conv_feature_layers", b"[(4,10,5)]", b"exit(4,10)");
    check_refused(&expression, &["conv_feature_layers", "expected a list", "exit"]);
}
