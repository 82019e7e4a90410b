//! One interface to every encoder.

use std::path::Path;

use audiolm_nn::{WeightReader, load_weights};
use burn::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use crate::folder::{CONFIG_FILE, WEIGHTS_FILE, json};
use crate::{
    Clips, Conformer, ConformerConfig, FrameGeometry, Hubert, HubertConfig, SemanticError,
    TransformersConfig,
};

/// The configuration of any encoder.
///
/// In a file it is that of its kind; the convolutions over the wave, which HuBERT's body alone has,
/// tell which.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EncoderConfig {
    /// Of HuBERT, wav2vec 2.0, WavLM or MERT.
    Hubert(HubertConfig),
    /// Of w2v-BERT.
    Conformer(ConformerConfig),
}

/// Any encoder: wave to feature vectors.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few, and burn's modules are not boxed")]
pub enum Encoder {
    /// HuBERT, wav2vec 2.0, WavLM or MERT.
    Hubert(Hubert),
    /// w2v-BERT.
    Conformer(Conformer),
}

impl Config for EncoderConfig {}

impl<'de> Deserialize<'de> for EncoderConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = serde_json::Value::deserialize(deserializer)?;
        let config = match values.get("conv_layers") {
            Some(_) => HubertConfig::deserialize(values).map(Self::Hubert),
            None => ConformerConfig::deserialize(values).map(Self::Conformer),
        };
        config.map_err(serde::de::Error::custom)
    }
}

impl From<HubertConfig> for EncoderConfig {
    fn from(config: HubertConfig) -> Self {
        Self::Hubert(config)
    }
}

impl From<&HubertConfig> for EncoderConfig {
    fn from(config: &HubertConfig) -> Self {
        config.clone().into()
    }
}

impl From<ConformerConfig> for EncoderConfig {
    fn from(config: ConformerConfig) -> Self {
        Self::Conformer(config)
    }
}

impl From<&ConformerConfig> for EncoderConfig {
    fn from(config: &ConformerConfig) -> Self {
        config.clone().into()
    }
}

impl From<&EncoderConfig> for EncoderConfig {
    fn from(config: &EncoderConfig) -> Self {
        config.clone()
    }
}

impl From<Hubert> for Encoder {
    fn from(encoder: Hubert) -> Self {
        Self::Hubert(encoder)
    }
}

impl From<Conformer> for Encoder {
    fn from(encoder: Conformer) -> Self {
        Self::Conformer(encoder)
    }
}

impl EncoderConfig {
    /// Reads `config.json` of an encoder's folder: ours, or that of a published encoder, which names
    /// its `model_type`.
    ///
    /// # Errors
    /// Where the file is missing or damaged, or describes a model that is no encoder or of a variant
    /// that is not implemented.
    pub fn load_from(folder: &Path) -> Result<Self, SemanticError> {
        let path = folder.join(CONFIG_FILE);
        let values = json(&path)?;
        if values.get("model_type").is_some() {
            return TransformersConfig::load(&path, values)?.encoder();
        }
        let damaged = |it: serde_json::Error| SemanticError::ConfigFile {
            path: path.clone(),
            reason: it.to_string(),
        };
        Self::deserialize(values).map_err(damaged)
    }

    /// Builds an encoder with fresh weights.
    ///
    /// # Errors
    /// Where the numbers describe no model.
    pub fn init(&self, device: &Device) -> Result<Encoder, SemanticError> {
        Ok(match self {
            Self::Hubert(config) => Encoder::Hubert(config.init(device)?),
            Self::Conformer(config) => Encoder::Conformer(config.init(device)?),
        })
    }

    /// Samples per second of the waves.
    pub fn sample_rate_hz(&self) -> usize {
        match self {
            Self::Hubert(config) => config.sample_rate_hz,
            Self::Conformer(config) => config.sample_rate_hz(),
        }
    }

    /// How many frames a wave gives, and which samples each of them sees.
    pub fn geometry(&self) -> FrameGeometry {
        match self {
            Self::Hubert(config) => config.geometry(),
            Self::Conformer(config) => config.geometry(),
        }
    }

    /// Width of the features.
    pub fn d_model(&self) -> usize {
        match self {
            Self::Hubert(config) => config.d_model,
            Self::Conformer(config) => config.d_model,
        }
    }

    /// Layers.
    pub fn n_layers(&self) -> usize {
        match self {
            Self::Hubert(config) => config.n_layers,
            Self::Conformer(config) => config.n_layers,
        }
    }

    /// That of the same encoder without the layers above `layer`.
    pub(crate) fn truncated(self, layer: usize) -> Self {
        match self {
            Self::Hubert(config) => HubertConfig { n_layers: layer, ..config }.into(),
            Self::Conformer(config) => ConformerConfig { n_layers: layer, ..config }.into(),
        }
    }
}

impl Encoder {
    /// Reads `config.json` and `model.safetensors` of an encoder's folder: of ours, or of a published
    /// encoder in transformers' format.
    ///
    /// # Errors
    /// Where a file is missing or damaged, they do not fit one another, or describe a model that is
    /// no encoder or of a variant that is not implemented.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, SemanticError> {
        let config = EncoderConfig::load_from(folder)?;
        let weights = folder.join(WEIGHTS_FILE);
        match json(&folder.join(CONFIG_FILE))?.get("model_type") {
            Some(_) => Self::read(&config, WeightReader::open(&weights, device)?, device),
            None => Ok(load_weights(config.init(device)?, &weights)?),
        }
    }

    /// The output of layer `layer`; 0 is what enters the first layer. Layers above are not run.
    ///
    /// # Shapes
    /// - clips: `[batch, samples]`, waves of one length or [`Clips`] of several
    /// - output: `[batch, time, d_model]`, `time` as [`FrameGeometry::frames`] says
    ///
    /// # Panics
    /// Where there is no such layer, or a clip is too short for one frame.
    pub fn features(&self, clips: impl Into<Clips>, layer: usize) -> Tensor<3> {
        match self {
            Self::Hubert(encoder) => encoder.features(clips, layer),
            Self::Conformer(encoder) => encoder.features(clips, layer),
        }
    }

    /// The output of each of the `layers`, in their order, from one pass.
    ///
    /// Shapes and panics as [`features`](Self::features).
    pub fn features_of_layers(&self, clips: impl Into<Clips>, layers: &[usize]) -> Vec<Tensor<3>> {
        match self {
            Self::Hubert(encoder) => encoder.features_of_layers(clips, layers),
            Self::Conformer(encoder) => encoder.features_of_layers(clips, layers),
        }
    }

    /// The same encoder without the layers above `layer`.
    ///
    /// # Panics
    /// Where there is no such layer.
    pub fn truncated(self, layer: usize) -> Self {
        match self {
            Self::Hubert(encoder) => Self::Hubert(encoder.truncated(layer)),
            Self::Conformer(encoder) => Self::Conformer(encoder.truncated(layer)),
        }
    }

    /// Layers.
    pub fn n_layers(&self) -> usize {
        match self {
            Self::Hubert(encoder) => encoder.n_layers(),
            Self::Conformer(encoder) => encoder.n_layers(),
        }
    }

    /// Width of the features.
    pub fn d_model(&self) -> usize {
        match self {
            Self::Hubert(encoder) => encoder.d_model(),
            Self::Conformer(encoder) => encoder.d_model(),
        }
    }

    /// How many frames a wave gives, and which samples each of them sees.
    pub fn geometry(&self) -> FrameGeometry {
        match self {
            Self::Hubert(encoder) => encoder.geometry(),
            Self::Conformer(encoder) => encoder.geometry(),
        }
    }
}
