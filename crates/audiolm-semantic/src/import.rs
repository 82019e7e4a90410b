//! Encoders that other software has trained.

use std::path::Path;

use audiolm_nn::WeightsError;
use burn::prelude::*;
use burn::store::{
    ApplyResult, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot,
    PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::DType;

use crate::{Hubert, HubertConfig, SemanticError};

/// transformers' names as patterns, and ours; applied in this order.
const NAMES: [(&str, &str); 12] = [
    (r"^feature_extractor\.conv_layers\.(\d+)\.conv\.", "front_end.layers.$1.conv."),
    (r"^feature_extractor\.conv_layers\.(\d+)\.layer_norm\.", "front_end.layers.$1.norm."),
    (r"^feature_projection\.layer_norm\.", "projection.norm."),
    (r"^feature_projection\.projection\.", "projection.linear."),
    // Either naming of a weight-normed tensor, PyTorch's older and its newer one.
    (
        r"^encoder\.pos_conv_embed\.conv\.(weight_g|parametrizations\.weight\.original0)$",
        "encoder.position.magnitude",
    ),
    (
        r"^encoder\.pos_conv_embed\.conv\.(weight_v|parametrizations\.weight\.original1)$",
        "encoder.position.direction",
    ),
    (r"^encoder\.pos_conv_embed\.conv\.bias$", "encoder.position.bias"),
    (r"^encoder\.layer_norm\.", "encoder.norm."),
    (r"^encoder\.layers\.(\d+)\.layer_norm\.", "encoder.layers.$1.attention_norm."),
    (r"^encoder\.layers\.(\d+)\.final_layer_norm\.", "encoder.layers.$1.feed_forward_norm."),
    (r"\.feed_forward\.intermediate_dense\.", ".feed_forward_in."),
    (r"\.feed_forward\.output_dense\.", ".feed_forward_out."),
];

/// The parts of transformers' attention, and ours.
const ATTENTION: [(&str, &str); 4] =
    [("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"), ("out_proj", "output")];

/// What the file may hold beside the encoder: the embedding of masked frames, for pretraining.
const LEFT_OUT: &str = "masked_spec_embed";

/// Reads the encoder from the `model.safetensors` of a `HubertModel` of transformers.
///
/// Covers models of the shape of HuBERT base. The weights must match the configuration exactly;
/// only the embedding of masked frames, which the encoder has no use for, is left out.
///
/// # Errors
/// Where the configuration describes no model, the file cannot be read, or its tensors are other
/// than the configuration's.
pub fn load_transformers(
    config: &HubertConfig,
    path: &Path,
    device: &Device,
) -> Result<Hubert, SemanticError> {
    let mut hubert = config.init(device)?;
    std::fs::File::open(path)
        .map_err(|source| WeightsError::Io { path: path.to_owned(), source })?;
    let applied = hubert
        .load_from(&mut store(path))
        .map_err(|it| WeightsError::Malformed { path: path.to_owned(), reason: it.to_string() })?;
    match differences(&applied) {
        mismatch if mismatch.is_empty() => Ok(hubert),
        mismatch => Err(WeightsError::Mismatch { path: path.to_owned(), mismatch }.into()),
    }
}

fn store(path: &Path) -> SafetensorsStore {
    SafetensorsStore::from_file(path)
        .allow_partial(true)
        .validate(false)
        .remap(our_names())
        .with_from_adapter(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)))
}

fn our_names() -> KeyRemapper {
    let attention = ATTENTION
        .map(|(theirs, ours)| (format!(r"\.attention\.{theirs}\."), format!(".attention.{ours}.")));
    let names = NAMES.map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()));
    KeyRemapper::from_pattern_iter(names.into_iter().chain(attention))
        .expect("the patterns above are valid")
}

fn differences(applied: &ApplyResult) -> Vec<String> {
    let missing = applied.missing.iter().map(|(name, _)| format!("missing: {name}"));
    let unused = applied.unused.iter().filter(|it| *it != LEFT_OUT);
    let unused = unused.map(|name| format!("not in the model: {name}"));
    let misfit = applied.errors.iter().map(|it| format!("misfit: {it}"));
    missing.chain(unused).chain(misfit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::{fixture, fixture_config};
    use burn::tensor::Tolerance;
    use safetensors::{SafeTensors, tensor::TensorView};

    /// The fixture's tensors under other names, or left out where there is none.
    fn renamed(name: impl Fn(&str) -> Option<String>) -> Result<Hubert, SemanticError> {
        let bytes = std::fs::read(fixture("hubert_base/model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let named: Vec<(String, TensorView)> =
            tensors.iter().filter_map(|(theirs, view)| Some((name(theirs)?, view))).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, safetensors::serialize(named, None).unwrap()).unwrap();
        load_transformers(&fixture_config(), &path, &Device::default())
    }

    #[track_caller]
    fn check_refused(name: impl Fn(&str) -> Option<String>, expected: &str) {
        let error = renamed(name).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("model.safetensors"), "{error}");
    }

    #[test]
    fn the_older_names_of_weight_norm_are_the_same() {
        let older = |name: &str| {
            let name = name.replace("parametrizations.weight.original0", "weight_g");
            Some(name.replace("parametrizations.weight.original1", "weight_v"))
        };
        let wave = Tensor::<2>::ones([1, 1000], &Device::default());
        let features = |hubert: Hubert| hubert.features(wave.clone(), 1).into_data();
        let newer = renamed(|name| Some(name.to_owned())).unwrap();
        let tolerance = Tolerance::<f32>::absolute(0.0);
        features(renamed(older).unwrap()).assert_approx_eq(&features(newer), tolerance);
    }

    #[test]
    fn the_embedding_of_masked_frames_may_be_missing() {
        renamed(|name| (name != LEFT_OUT).then(|| name.to_owned())).unwrap();
    }

    #[test]
    fn a_missing_tensor_is_named() {
        let without = |name: &str| {
            (!name.contains("layers.2.attention.q_proj.bias")).then(|| name.to_owned())
        };
        check_refused(without, "missing: encoder.layers.2.attention.query.bias");
    }

    #[test]
    fn a_tensor_of_another_model_is_named() {
        let other = |name: &str| Some(name.replace(LEFT_OUT, "lm_head.weight"));
        check_refused(other, "not in the model: lm_head.weight");
    }

    #[test]
    fn a_model_of_another_size_is_refused() {
        let config = HubertConfig { d_feed_forward: 95, ..fixture_config() };
        let path = fixture("hubert_base/model.safetensors");
        let error = load_transformers(&config, &path, &Device::default()).unwrap_err().to_string();
        assert!(error.contains("feed_forward_in") && error.contains("95"), "{error}");
    }
}
