//! The crops that the codec learns from and is measured on.

use audiolm_data::{Crop, CropSampler};
use audiolm_nn::generator;
use burn::prelude::*;
use rand::RngExt;

use crate::recordings::{Recordings, Waves, waves};
use crate::{CodecSettings, TrainError};

/// Largest gain that brings a crop to its level.
const MOST_GAIN_DB: f64 = 20.0;
/// Crops held out for validation.
const VALIDATION_CROPS: usize = 32;

/// Crops of recordings, drawn anew for each step or held out.
pub(crate) struct Crops<'a> {
    settings: &'a CodecSettings,
    recordings: &'a Recordings,
    sampler: CropSampler,
}

/// A part of a recording.
pub(crate) struct Excerpt {
    /// The recording's name.
    pub(crate) name: String,
    pub(crate) samples: Vec<f32>,
}

impl<'a> Crops<'a> {
    pub(crate) fn new(settings: &'a CodecSettings, recordings: &'a Recordings) -> Self {
        let sampler = CropSampler::new(&recordings.train.lengths(), settings.crop_samples);
        Self { settings, recordings, sampler }
    }

    /// Crops at varied levels, drawn from a `seed` for what they are drawn for and when:
    /// `[batch, 1, samples]`.
    pub(crate) fn batch(
        &self,
        seed: u64,
        stream: &str,
        index: u64,
        device: &Device,
    ) -> Result<Tensor<3>, TrainError> {
        let mut rng = generator(seed, stream, index);
        let crops = self.sampler.batch(rng.random(), index, self.settings.batch);
        let wave = self.waves(&self.recordings.train, &crops, device)?;
        let spread = self.settings.level_spread_db;
        let levels = crops.iter().map(|_| spread * (2.0 * rng.random::<f64>() - 1.0));
        Ok(self.levelled(wave, levels.collect()).unsqueeze_dim(1))
    }

    /// The same held-out crops every time: `[crops, 1, samples]`.
    pub(crate) fn held_out(&self, seed: u64, device: &Device) -> Result<Tensor<3>, TrainError> {
        let valid = &self.recordings.valid;
        let sampler = CropSampler::new(&valid.lengths(), self.settings.crop_samples);
        let crops = sampler.batch(seed, 0, VALIDATION_CROPS);
        let wave = self.waves(valid, &crops, device)?;
        Ok(self.levelled(wave, vec![0.0; crops.len()]).unsqueeze_dim(1))
    }

    /// Samples per second.
    pub(crate) fn rate_hz(&self) -> u32 {
        self.settings.model.sample_rate_hz as u32
    }

    /// The beginnings of some held-out recordings, spread over all of them: their names and waves.
    pub(crate) fn excerpts(&self, n: usize, seconds: f64) -> Result<Vec<Excerpt>, TrainError> {
        let valid = &self.recordings.valid;
        let most = (seconds * f64::from(self.rate_hz())) as usize;
        let n = n.min(valid.len());
        let excerpt = |recording| {
            let mut samples = valid.whole(recording)?;
            samples.truncate(most);
            Ok(Excerpt { name: valid.key(recording).to_owned(), samples })
        };
        (0..n).map(|it| excerpt(it * valid.len() / n)).collect()
    }

    fn waves(&self, of: &Waves, crops: &[Crop], device: &Device) -> Result<Tensor<2>, TrainError> {
        waves(of, crops, self.settings.crop_samples, device)
    }

    /// Waves at so many decibels beside the settings' level; a crop of mere noise is raised by no
    /// more than [`MOST_GAIN_DB`].
    fn levelled(&self, wave: Tensor<2>, beside: Vec<f64>) -> Tensor<2> {
        let amplitude = |decibels: f64| 10.0_f64.powf(decibels / 20.0);
        let targets: Vec<f32> =
            beside.iter().map(|it| amplitude(self.settings.level_dbfs + it) as f32).collect();
        let shape = [targets.len(), 1];
        let targets = Tensor::<2>::from_data(TensorData::new(targets, shape), &wave.device());
        let levels = wave.clone().square().mean_dim(1).sqrt();
        let gains = (targets / (levels + 1e-9)).clamp_max(amplitude(MOST_GAIN_DB));
        (wave * gains).clamp(-1.0, 1.0)
    }
}
