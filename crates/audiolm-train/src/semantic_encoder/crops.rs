//! The crops that an encoder of either kind learns from.

use audiolm_data::CropSampler;
use audiolm_nn::generator;
use burn::prelude::*;
use rand::Rng;

use crate::recordings::{Recordings, Waves, waves};
use crate::run::StageRun;
use crate::{SemanticEncoderSettings, TrainError};

/// Crops of a run's recordings, which follow from its seed.
pub(super) struct Crops<'a> {
    pub(super) settings: &'a SemanticEncoderSettings,
    pub(super) train: &'a Waves,
    pub(super) valid: &'a Waves,
    pub(super) seed: u64,
    pub(super) device: Device,
}

/// Which crops: the same name and number are the same crops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    pub(super) stream: &'static str,
    pub(super) step: u64,
}

impl<'a> Crops<'a> {
    pub(super) fn new(
        settings: &'a SemanticEncoderSettings,
        recordings: &'a Recordings,
        run: &StageRun<'_>,
    ) -> Self {
        Self {
            settings,
            train: &recordings.train,
            valid: &recordings.valid,
            seed: run.seed,
            device: run.device.clone(),
        }
    }

    /// `n` crops, padded: `[n, samples]`.
    pub(super) fn padded(
        &self,
        store: &Waves,
        Draw { stream, step }: Draw,
        n: usize,
    ) -> Result<Tensor<2>, TrainError> {
        let sampler = CropSampler::new(&store.lengths(), self.settings.crop_samples);
        let crops = sampler.batch(generator(self.seed, stream, step).next_u64(), step, n);
        let wave = waves(store, &crops, self.settings.crop_samples, &self.device)?;
        Ok(self.settings.encoder().geometry().pad(wave))
    }
}
