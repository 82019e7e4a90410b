//! What is read from published files, and what is refused.

use std::path::Path;

use burn::prelude::*;
use burn::tensor::Tolerance;
use safetensors::{SafeTensors, tensor::TensorView};

use crate::parity::fixture;
use crate::{Encoder, EncoderConfig, HubertConfig, SemanticError, load_transformers};

/// What stands in for masked frames.
const MASKED: &str = "masked_spec_embed";

fn fixture_config() -> HubertConfig {
    match EncoderConfig::load_from(&fixture("hubert_base")).unwrap() {
        EncoderConfig::Hubert(config) => config,
        EncoderConfig::Conformer(_) => panic!("HuBERT is no conformer"),
    }
}

/// Copies a fixture's model under other names of its tensors, or without them where there are none.
fn rename(folder: &str, to: &Path, name: impl Fn(&str) -> Option<String>) {
    let bytes = std::fs::read(fixture(folder).join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let named: Vec<(String, TensorView)> =
        tensors.iter().filter_map(|(theirs, view)| Some((name(theirs)?, view))).collect();
    let path = to.join("model.safetensors");
    std::fs::write(path, safetensors::serialize(named, None).unwrap()).unwrap();
    std::fs::copy(fixture(folder).join("config.json"), to.join("config.json")).unwrap();
}

fn renamed(folder: &str, name: impl Fn(&str) -> Option<String>) -> Result<Encoder, SemanticError> {
    let copy = tempfile::tempdir().unwrap();
    rename(folder, copy.path(), name);
    Encoder::load_from(copy.path(), &Device::default())
}

/// Whether a fixture's model gives the same under other names.
#[track_caller]
fn check_same(folder: &str, name: impl Fn(&str) -> Option<String>) {
    let wave = Tensor::<2>::ones([1, 1000], &Device::default());
    let features = |encoder: Encoder| encoder.features(wave.clone(), 1).into_data();
    let plain = Encoder::load_from(&fixture(folder), &Device::default()).unwrap();
    let found = features(renamed(folder, name).unwrap());
    found.assert_approx_eq(&features(plain), Tolerance::<f32>::absolute(0.0));
}

#[track_caller]
fn check_refused(name: impl Fn(&str) -> Option<String>, expected: &str) {
    let error = renamed("hubert_base", name).unwrap_err().to_string();
    assert!(error.contains(expected) && error.contains("model.safetensors"), "{error}");
}

#[test]
fn the_older_names_of_weight_norm_are_the_same() {
    check_same("hubert_base", |name| {
        let name = name.replace("parametrizations.weight.original0", "weight_g");
        Some(name.replace("parametrizations.weight.original1", "weight_v"))
    });
}

#[test]
fn the_prefix_of_a_model_with_a_head_is_taken_off() {
    check_same("hubert_base", |name| Some(format!("hubert.{name}")));
    check_same("wavlm_base", |name| Some(format!("wavlm.{name}")));
    check_same("wav2vec2_base", |name| Some(format!("wav2vec2.{name}")));
    check_same("w2v_bert_2", |name| Some(format!("wav2vec2_bert.{name}")));
}

#[test]
fn heads_are_left_out() {
    for head in ["lm_head.weight", "quantizer.codevectors", "project_hid.bias", "classifier.bias"] {
        check_same("hubert_base", |name| {
            Some(if name == MASKED { head.to_owned() } else { format!("hubert.{name}") })
        });
    }
}

#[test]
fn the_embedding_of_masked_frames_may_be_missing() {
    check_same("hubert_base", |name| (name != MASKED).then(|| name.to_owned()));
}

#[test]
fn a_missing_tensor_is_named() {
    let without =
        |name: &str| (!name.contains("layers.2.attention.q_proj.bias")).then(|| name.to_owned());
    check_refused(without, "missing: encoder.layers.2.attention.q_proj.bias");
}

#[test]
fn a_tensor_of_another_model_is_named() {
    let other = |name: &str| Some(name.replace(MASKED, "decoder.weight"));
    check_refused(other, "not in the model: decoder.weight");
}

#[test]
fn a_model_of_another_size_is_refused() {
    let config = HubertConfig { d_feed_forward: 95, ..fixture_config() };
    let path = fixture("hubert_base/model.safetensors");
    let error = load_transformers(&config, &path, &Device::default()).unwrap_err().to_string();
    assert!(error.contains("intermediate_dense") && error.contains("95"), "{error}");
}

#[test]
fn layers_beyond_the_configuration_are_named() {
    let config = HubertConfig { n_layers: 2, ..fixture_config() };
    let path = fixture("hubert_base/model.safetensors");
    let error = load_transformers(&config, &path, &Device::default()).unwrap_err().to_string();
    assert!(error.contains("not in the model: encoder.layers.2"), "{error}");
}

/// Writes the configuration of a fixture with a value changed.
fn changed(
    folder: &str,
    key: &str,
    value: serde_json::Value,
) -> Result<EncoderConfig, SemanticError> {
    let text = std::fs::read_to_string(fixture(folder).join("config.json")).unwrap();
    let mut values: serde_json::Value = serde_json::from_str(&text).unwrap();
    values[key] = value;
    let copy = tempfile::tempdir().unwrap();
    std::fs::write(copy.path().join("config.json"), values.to_string()).unwrap();
    EncoderConfig::load_from(copy.path())
}

#[track_caller]
fn check_unsupported(folder: &str, key: &str, value: serde_json::Value) {
    let error = changed(folder, key, value).unwrap_err();
    assert!(matches!(&error, SemanticError::Unsupported { field, .. } if *field == key), "{error}");
}

#[test]
fn variants_that_are_not_implemented_are_named() {
    check_unsupported("hubert_base", "conv_pos_batch_norm", true.into());
    check_unsupported("hubert_base", "hidden_act", "relu".into());
    check_unsupported("hubert_base", "feat_proj_layer_norm", false.into());
    check_unsupported("hubert_base", "conv_dim", vec![16; 6].into());
    check_unsupported("hubert_base", "hidden_size", (1u64 << 40).into());
    check_unsupported("wav2vec2_base", "adapter_attn_dim", 16.into());
    check_unsupported("w2v_bert_2", "position_embeddings_type", "rotary".into());
    check_unsupported("w2v_bert_2", "feature_projection_input_dim", 80.into());
}

#[test]
fn other_models_are_named() {
    let error = changed("hubert_base", "model_type", "whisper".into()).unwrap_err();
    assert!(matches!(&error, SemanticError::UnknownModel { found, .. } if found == "whisper"));
}

#[test]
fn sizes_that_do_not_divide_are_named() {
    let error = changed("hubert_base", "num_attention_heads", 5.into()).unwrap_err();
    assert!(matches!(error, SemanticError::Hubert(_)), "{error}");
}

#[test]
fn music_is_heard_at_its_own_rate() {
    let config = changed("hubert_base", "model_type", "mert_model".into()).unwrap();
    assert_eq!(config.sample_rate_hz(), 24_000);
}

#[test]
fn the_preprocessor_says_what_is_done_to_waves() {
    let copy = tempfile::tempdir().unwrap();
    rename("hubert_base", copy.path(), |name| Some(name.to_owned()));
    let text = r#"{"do_normalize": true, "sampling_rate": 8000}"#;
    std::fs::write(copy.path().join("preprocessor_config.json"), text).unwrap();
    let expected = HubertConfig {
        wave_scale: crate::WaveScale::UnitVariance,
        sample_rate_hz: 8000,
        ..fixture_config()
    };
    assert_eq!(EncoderConfig::load_from(copy.path()).unwrap(), expected.into());
}
