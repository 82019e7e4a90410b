//! Features whose clusters the semantic encoder learns to guess.

use std::path::Path;

use audiolm_nn::fingerprint;
use audiolm_semantic::{Encoder, EncoderConfig, FrameGeometry, Mfcc, MfccConfig};
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
    Encoder(Encoder),
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
        let folder = run.join("export").join(PART);
        check(&EncoderConfig::load_from(&folder)?, settings, run)?;
        let encoder = Encoder::load_from(&folder, device)?;
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

/// What tells the encoder of an earlier iteration from others.
pub(crate) fn targets_fingerprint(
    settings: &SemanticEncoderSettings,
) -> Result<Option<String>, TrainError> {
    let of = |run: &Path| fingerprint(&run.join("export").join(PART));
    Ok(settings.targets_from().map(of).transpose()?)
}

fn check(
    found: &EncoderConfig,
    settings: &SemanticEncoderSettings,
    run: &Path,
) -> Result<(), TrainError> {
    let refused = |setting: &str, expected: String, found: String| TrainError::Setting {
        setting: format!("semantic_encoder.{setting}"),
        expected,
        found,
    };
    if settings.targets_layer > found.n_layers() {
        let expected = format!("at most the {} layers of {}", found.n_layers(), run.display());
        return Err(refused("targets_layer", expected, settings.targets_layer.to_string()));
    }
    let frames = |it: &EncoderConfig| {
        let FrameGeometry { window_samples, hop_samples } = it.geometry();
        let rate = it.sample_rate_hz();
        format!("frames of {hop_samples} samples that see {window_samples}, at {rate} Hz")
    };
    let expected = frames(&settings.encoder());
    match frames(found) == expected {
        true => Ok(()),
        false => Err(refused("targets_from", expected, frames(found))),
    }
}
