//! How to train the codec.

use std::path::PathBuf;

use audiolm_codec::{DiscriminatorConfig, FeatureDistance, SoundStreamConfig};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer};
use serde::{Deserialize, Serialize};

use crate::plan_check::require;
use crate::{Cadence, GuardSettings, NoiseSettings, Schedule, TrainError};

/// How to train the codec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecSettings {
    /// The codec.
    pub model: SoundStreamConfig,
    /// A trained codec to begin with: its folder, or that of a bundle; empty for none. Where only
    /// the decoder learns, its channels may be others than those of `model`.
    pub init_from: PathBuf,
    /// What learns.
    pub learns: Learns,
    /// Crops in a batch.
    pub batch: usize,
    /// Batches whose gradients make one step.
    pub batches_per_step: usize,
    /// Samples of a crop; a multiple of the hop.
    pub crop_samples: usize,
    /// How fast to learn.
    pub schedule: Schedule,
    /// Shares of the old averages of gradients and of their squares that Adam keeps.
    pub adam_betas: [f32; 2],
    /// Weight of the logarithm of the noise's share in the reconstructed wave, which settles phases.
    pub wave_weight: f64,
    /// Share of examples that use a random number of leading quantizers; the others use all.
    pub quantizer_dropout: f64,
    /// Weight of the distance between vectors and their codes.
    pub commitment_weight: f64,
    /// The level that crops are brought to, as the root of the mean square of their samples, in
    /// decibels below full scale.
    pub level_dbfs: f64,
    /// How far above or below that level a crop may be, in decibels.
    pub level_spread_db: f64,
    /// The noise that a codec with a FiLM layer learns to leave out.
    #[serde(default)]
    pub noise: NoiseSettings,
    /// Share of the old average of the weights that is kept at each step; the average is what is
    /// measured and exported. Zero: the weights themselves are.
    pub average_decay: f64,
    /// What the codec is trained against.
    pub adversary: AdversarySettings,
    /// When to go back, and how often.
    pub guard: GuardSettings,
    /// How often to look and to save.
    pub cadence: Cadence,
}

/// Which part of the codec learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learns {
    /// All of it.
    Everything,
    /// The decoder: codes stay what they are.
    Decoder,
}

/// What the codec is trained against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversarySettings {
    /// The discriminators; none where the codec is trained alone.
    pub discriminators: Vec<DiscriminatorConfig>,
    /// Steps of the codec alone before they come in.
    pub starts_at: u64,
    /// Their own steps until the peak of their learning rate.
    pub warmup_steps: u64,
    /// Their learning rate at the peak; it falls as that of the codec does.
    pub peak_learning_rate: f64,
    /// How distances of features are measured.
    pub feature_distance: FeatureDistance,
    /// How the losses are weighed.
    pub weights: LossWeights,
}

/// How the losses of the reconstructed wave are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossWeights {
    /// What the weights multiply.
    pub of: Weighed,
    /// Weight of the reconstruction.
    pub reconstruction: f64,
    /// Weight of the discriminators' verdict.
    pub adversarial: f64,
    /// Weight of the distance of the discriminators' features.
    pub features: f64,
}

/// What weights multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighed {
    /// The losses.
    Losses,
    /// The gradients, brought to one norm ([`audiolm_codec::LossBalancer`]).
    Gradients,
}

impl LossWeights {
    /// SoundStream's (arXiv 2107.03312, section III-E).
    pub fn sound_stream() -> Self {
        Self { of: Weighed::Losses, reconstruction: 1.0, adversarial: 1.0, features: 100.0 }
    }

    /// EnCodec's (arXiv 2210.13438, section 4.2), without that of its distance between waves.
    pub fn encodec() -> Self {
        Self { of: Weighed::Gradients, reconstruction: 1.0, adversarial: 3.0, features: 3.0 }
    }
}

impl CodecSettings {
    /// Vectors that codebooks learn from at once.
    pub(crate) fn vectors_per_batch(&self) -> usize {
        self.batch * self.crop_samples / self.model.hop_samples()
    }

    /// Adam without decay of weights, each gradient cut to a norm of one.
    pub(crate) fn optimizer(&self) -> ModuleOptimizer {
        let [beta_1, beta_2] = self.adam_betas;
        AdamWConfig::new()
            .with_beta_1(beta_1)
            .with_beta_2(beta_2)
            .with_weight_decay(0.0)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
            .init()
    }

    /// The learning rate of the discriminators.
    pub(crate) fn adversary_schedule(&self) -> Schedule {
        Schedule {
            steps: self.schedule.steps.saturating_sub(self.adversary.starts_at),
            warmup_steps: self.adversary.warmup_steps,
            peak_learning_rate: self.adversary.peak_learning_rate,
            final_share: self.schedule.final_share,
        }
    }

    /// Names the first settings that do not go together.
    pub(crate) fn validate(&self) -> Result<(), TrainError> {
        let at_least_one = || "at least 1".to_owned();
        let n = self.batches_per_step;
        require(n > 0, "codec.batches_per_step", at_least_one, n)?;
        let decay = self.average_decay;
        let below_one = || "from 0 to below 1".to_owned();
        require((0.0..1.0).contains(&decay), "codec.average_decay", below_one, decay)?;
        if self.learns == Learns::Decoder {
            self.validate_decoder_alone()?;
        }
        let sets = &self.adversary.discriminators;
        let needed = sets.iter().map(DiscriminatorConfig::shortest_samples).max().unwrap_or(0);
        let crop = self.crop_samples;
        let enough = || format!("at least {needed}, for the discriminators");
        require(crop >= needed, "codec.crop_samples", enough, crop)
    }

    fn validate_decoder_alone(&self) -> Result<(), TrainError> {
        let is_fresh = self.init_from.as_os_str().is_empty();
        let trained = || "the folder of a trained codec, for only the decoder learns".to_owned();
        require(!is_fresh, "codec.init_from", trained, "nothing")?;
        let everything = || "everything, for noise is left out by all of a codec".to_owned();
        require(self.model.film.is_none(), "codec.learns", everything, "decoder")
    }
}
