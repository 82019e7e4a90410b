//! Encoders as fairseq has saved them: HuBERT and wav2vec 2.0 (`cfg` or `args`, `model`), and WavLM,
//! whose own files look the same.
//!
//! A checkpoint is turned into what `transformers` would have published: a configuration with its
//! keys, and tensors with its names. Nothing here knows our own modules.

mod conv_layers;
mod names;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use audiolm_nn::WeightReader;
use audiolm_pickle::{Array, TorchFile};
use burn::prelude::*;
use serde_json::{Value as Json, json};

use crate::SemanticError;
use conv_layers::ConvLayer;
use settings::{Family, Settings};

pub use names::transformers_name;

/// An encoder that fairseq or the authors of WavLM have saved.
#[derive(Debug)]
pub struct FairseqCheckpoint {
    path: PathBuf,
    config: Json,
    preprocessor: Json,
    arrays: BTreeMap<String, Array>,
}

impl FairseqCheckpoint {
    /// Whether a file looks like a checkpoint of fairseq: a dict with `model` and `cfg` or `args`.
    ///
    /// # Errors
    /// Where it cannot be read, or is a damaged file of PyTorch.
    pub fn is_one(path: &Path) -> Result<bool, SemanticError> {
        if !TorchFile::is_one(path)? {
            return Ok(false);
        }
        let file = TorchFile::open(path)?;
        let has = |key| file.root().get(key).is_some_and(|it| !it.is_none());
        Ok(has("model") && (has("cfg") || has("args")))
    }

    /// Reads a checkpoint, without its tensors.
    ///
    /// # Errors
    /// Where it cannot be read, is none of HuBERT, wav2vec 2.0 or WavLM, or where its sizes are not
    /// those of its tensors.
    pub fn open(path: &Path) -> Result<Self, SemanticError> {
        let file = TorchFile::open(path)?;
        let settings = Settings::of(&file, path)?;
        let model = file.root().get("model").ok_or_else(|| settings.refused("model", "a dict"))?;
        let arrays = named(file.tensors(model)?);
        let layers = conv_layers::parsed(&settings)?;
        let config = config(&settings, &layers)?;
        check_sizes(&settings, &config, &layers, &arrays)?;
        let preprocessor = preprocessor(&settings)?;
        Ok(Self { path: path.to_owned(), config, preprocessor, arrays })
    }

    /// What would stand in the `config.json` of transformers.
    pub fn config(&self) -> &Json {
        &self.config
    }

    /// What would stand in the `preprocessor_config.json` of transformers: the rate, and whether
    /// waves are brought to zero mean and unit variance.
    pub fn preprocessor(&self) -> &Json {
        &self.preprocessor
    }

    /// The tensors, by the names of transformers.
    pub fn weights(&self, device: &Device) -> WeightReader {
        WeightReader::of_arrays(&self.path, self.arrays.clone(), device)
    }
}

fn named(tensors: BTreeMap<String, Array>) -> BTreeMap<String, Array> {
    let named = tensors.into_iter();
    named.filter_map(|(name, array)| Some((transformers_name(&name)?, array))).collect()
}

fn config(settings: &Settings<'_>, layers: &[ConvLayer]) -> Result<Json, SemanticError> {
    let layer_norm = match settings.text("extractor_mode", "default")? {
        "default" => false,
        "layer_norm" => true,
        _ => return Err(settings.refused("extractor_mode", "default or layer_norm")),
    };
    settings.require("activation_fn", "gelu")?;
    settings.require("layer_type", "transformer")?;
    settings.require_no("conv_pos_batch_norm")?;
    let of = |part: fn(&ConvLayer) -> usize| layers.iter().map(part).collect::<Vec<_>>();
    let mut config = json!({
        "model_type": settings.family().name(),
        "architectures": [settings.family().class()],
        "hidden_size": settings.count("encoder_embed_dim", 768)?,
        "num_hidden_layers": settings.count("encoder_layers", 12)?,
        "num_attention_heads": settings.count("encoder_attention_heads", 12)?,
        "intermediate_size": settings.count("encoder_ffn_embed_dim", 3072)?,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "do_stable_layer_norm": settings.truth("layer_norm_first", false)?,
        "feat_extract_norm": if layer_norm { "layer" } else { "group" },
        "feat_extract_activation": "gelu",
        "conv_dim": of(|it| it.channels),
        "conv_kernel": of(|it| it.kernel_size),
        "conv_stride": of(|it| it.stride),
        "conv_bias": settings.truth("conv_bias", false)?,
        "num_feat_extract_layers": layers.len(),
        "num_conv_pos_embeddings": settings.count("conv_pos", 128)?,
        "num_conv_pos_embedding_groups": settings.count("conv_pos_groups", 16)?,
        "hidden_dropout": settings.number("dropout", 0.1)?,
        "attention_dropout": settings.number("attention_dropout", 0.1)?,
        "activation_dropout": settings.number("activation_dropout", 0.0)?,
        "feat_proj_dropout": settings.number("dropout_input", 0.0)?,
        "layerdrop": settings.number("encoder_layerdrop", 0.0)?,
    });
    if settings.family() == Family::WavLm {
        config["num_buckets"] = json!(settings.count("num_buckets", 320)?);
        config["max_bucket_distance"] = json!(settings.count("max_distance", 1280)?);
    }
    Ok(config)
}

fn preprocessor(settings: &Settings<'_>) -> Result<Json, SemanticError> {
    let do_normalize = settings.truth("normalize", false)?;
    Ok(json!({
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "sampling_rate": settings.count("sample_rate", 16_000)?,
        "feature_size": 1,
        "padding_value": 0.0,
        "do_normalize": do_normalize,
        "return_attention_mask": do_normalize,
    }))
}

/// Refuses sizes that are not those of the tensors: what is built from the configuration is then no
/// larger than the file.
fn check_sizes(
    settings: &Settings<'_>,
    config: &Json,
    layers: &[ConvLayer],
    arrays: &BTreeMap<String, Array>,
) -> Result<(), SemanticError> {
    let axis = |name: &str, axis: usize| Some(*arrays.get(name)?.shape().get(axis)?);
    let number = |key: &str| config[key].as_u64().and_then(|it| usize::try_from(it).ok());
    let width = axis("encoder.layer_norm.weight", 0);
    let first = "encoder.layers.0.feed_forward.intermediate_dense.weight";
    let norms = |it: &&String| it.ends_with(".final_layer_norm.weight");
    let position = ["weight_v", "parametrizations.weight.original1"]
        .map(|it| axis(&format!("encoder.pos_conv_embed.conv.{it}"), 2));
    let mut checks = vec![
        ("encoder_embed_dim", number("hidden_size"), width),
        ("encoder_ffn_embed_dim", number("intermediate_size"), axis(first, 0)),
        ("encoder_layers", number("num_hidden_layers"), Some(arrays.keys().filter(norms).count())),
        ("conv_pos", number("num_conv_pos_embeddings"), position[0].or(position[1])),
    ];
    if settings.family() == Family::WavLm {
        let table = "encoder.layers.0.attention.rel_attn_embed.weight";
        checks.push(("num_buckets", number("num_buckets"), axis(table, 0)));
    }
    for (index, layer) in layers.iter().enumerate() {
        let name = format!("feature_extractor.conv_layers.{index}.conv.weight");
        checks.push(("conv_feature_layers", Some(layer.channels), axis(&name, 0)));
        checks.push(("conv_feature_layers", Some(layer.kernel_size), axis(&name, 2)));
    }
    match checks.into_iter().find(|it| it.1 != it.2) {
        None => Ok(()),
        Some((setting, found, expected)) => {
            let text = |it: Option<usize>| it.map_or("nothing".to_owned(), |it| it.to_string());
            let expected = format!("{}, as its tensors have", text(expected));
            Err(settings.mismatch(setting, expected, text(found)))
        }
    }
}
