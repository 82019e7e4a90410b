//! Features whose clusters the semantic encoder learns to guess.

use std::path::Path;

use audiolm_nn::{fingerprint, load_weights};
use audiolm_semantic::{Hubert, HubertConfig, Mfcc, MfccConfig, SemanticError};
use burn::config::Config;
use burn::prelude::*;

use crate::semantic_encoder::PART;
use crate::{SemanticEncoderSettings, TrainError};

/// Coefficients and both their differences.
const MFCC_FEATURES: usize = 39;

/// What is clustered (Hsu et al. 2021, arXiv 2106.07447, section II-B).
#[allow(clippy::large_enum_variant, reason = "there is one for each run")]
pub(crate) enum TargetFeatures {
    /// Cepstra: the first iteration.
    Mfcc(Mfcc),
    /// The last layer of an encoder that an earlier iteration has trained.
    Encoder(Hubert),
}

impl TargetFeatures {
    /// # Errors
    /// Where the encoder cannot be read, lacks the layer, or has other frames than the one that is
    /// to be trained.
    pub(crate) fn new(
        settings: &SemanticEncoderSettings,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let model = &settings.model;
        let Some(run) = settings.targets_from() else {
            let mfcc = MfccConfig::new().with_sample_rate_hz(model.sample_rate_hz);
            return Ok(Self::Mfcc(mfcc.init(model.geometry(), device)));
        };
        let (config, encoder) = load_encoder(&run.join("export").join(PART), device)?;
        check(&config, settings, run)?;
        Ok(Self::Encoder(encoder.truncated(settings.targets_layer)))
    }

    /// Features of a frame.
    pub(crate) fn n_features(&self) -> usize {
        match self {
            Self::Mfcc(_) => MFCC_FEATURES,
            Self::Encoder(encoder) => encoder.d_model(),
        }
    }

    /// # Shapes
    /// - wave: `[batch, samples]`, padded
    /// - output: `[batch, frames, n_features]`
    pub(crate) fn forward(&self, wave: Tensor<2>) -> Tensor<3> {
        match self {
            Self::Mfcc(mfcc) => mfcc.forward(wave),
            Self::Encoder(encoder) => encoder.features(wave, encoder.n_layers()),
        }
    }
}

/// An encoder that a run has exported.
pub(crate) fn load_encoder(
    folder: &Path,
    device: &Device,
) -> Result<(HubertConfig, Hubert), TrainError> {
    let path = folder.join("config.json");
    let config = HubertConfig::load(&path).map_err(|it| TrainError::malformed(&path, it))?;
    let encoder = config.init(device).map_err(SemanticError::from)?;
    Ok((config, load_weights(encoder, &folder.join("model.safetensors"))?))
}

/// What tells the encoder of an earlier iteration from others.
pub(crate) fn targets_fingerprint(
    settings: &SemanticEncoderSettings,
) -> Result<Option<String>, TrainError> {
    let of = |run: &Path| fingerprint(&run.join("export").join(PART));
    Ok(settings.targets_from().map(of).transpose()?)
}

fn check(
    found: &HubertConfig,
    settings: &SemanticEncoderSettings,
    run: &Path,
) -> Result<(), TrainError> {
    let refused = |setting: &str, expected: String, found: String| TrainError::Setting {
        setting: format!("semantic_encoder.{setting}"),
        expected,
        found,
    };
    if settings.targets_layer > found.n_layers {
        let expected = format!("at most the {} layers of {}", found.n_layers, run.display());
        return Err(refused("targets_layer", expected, settings.targets_layer.to_string()));
    }
    let frames = |it: &HubertConfig| {
        let hop = it.geometry().hop_samples;
        format!("frames of {hop} samples at {} Hz", it.sample_rate_hz)
    };
    match frames(found) == frames(&settings.model) {
        true => Ok(()),
        false => Err(refused("targets_from", frames(&settings.model), frames(found))),
    }
}
