//! Noisy mixtures for a codec that learns to leave noise out when it is asked to
//! (arXiv 2107.03312, section III-F).

use audiolm_codec::Denoise;
use audiolm_data::{CropSampler, Split};
use audiolm_nn::generator;
use burn::prelude::*;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::plan_check::require;
use crate::recordings::{Waves, require_seconds, waves};
use crate::run::StageRun;
use crate::{CodecSettings, TrainError};

/// Keeps the share of a silent crop finite.
const SILENCE: f64 = 1e-9;

/// How noise is mixed in, where the codec has a FiLM layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseSettings {
    /// Share of examples that have noise. The others are to stay as they are, whatever is asked.
    pub noisy_share: f64,
    /// Lowest ratio of signal to noise, in decibels.
    pub least_snr_db: f64,
    /// Highest ratio of signal to noise, in decibels.
    pub greatest_snr_db: f64,
}

/// The paper's gains of 30 dB below the speech up to its level; the share is not published.
impl Default for NoiseSettings {
    fn default() -> Self {
        Self { noisy_share: 0.5, least_snr_db: 0.0, greatest_snr_db: 30.0 }
    }
}

/// What one step of the codec hears, and what it is to make of it.
#[derive(Debug)]
pub(crate) struct CodecExamples {
    /// `[batch, 1, samples]`
    pub(crate) input: Tensor<3>,
    /// `[batch, 1, samples]`: without noise where that is asked, as it is where not.
    pub(crate) target: Tensor<3>,
    /// What is asked of each example.
    pub(crate) denoise: Vec<Denoise>,
}

/// Makes examples of clean waves; without noise where the codec has no use for it.
#[derive(Debug)]
pub(crate) struct NoiseMixer {
    noise: Option<Noise>,
    /// The run's, from which mixtures are drawn.
    pub(crate) seed: u64,
}

#[derive(Debug)]
struct Noise {
    waves: Waves,
    sampler: CropSampler,
    settings: NoiseSettings,
}

impl NoiseMixer {
    /// Opens the noise of a run, where the codec is to learn to leave it out.
    ///
    /// # Errors
    /// Where the settings name none, their ranges are none, or there is too little of it.
    pub(crate) fn open(
        run: &mut StageRun<'_>,
        settings: &CodecSettings,
    ) -> Result<Self, TrainError> {
        let seed = run.seed;
        if settings.model.film.is_none() {
            return Ok(Self { noise: None, seed });
        }
        settings.noise.validate()?;
        let rate = settings.model.sample_rate_hz as u32;
        let waves = Waves::of_noise(run.data, rate, &run.cache_folder(), run.observer)?;
        require_seconds(&waves, Split::Train, settings.crop_samples as f64 / f64::from(rate))?;
        let sampler = CropSampler::new(&waves.lengths(), settings.crop_samples);
        Ok(Self { noise: Some(Noise { waves, sampler, settings: settings.noise.clone() }), seed })
    }

    /// Examples of a step; the same seed and step give the same.
    ///
    /// # Shapes
    /// - clean: `[batch, 1, samples]`
    pub(crate) fn examples(
        &self,
        clean: Tensor<3>,
        step: u64,
    ) -> Result<CodecExamples, TrainError> {
        let [batch, _, _] = clean.dims();
        let Some(noise) = &self.noise else {
            let denoise = vec![Denoise::Off; batch];
            return Ok(CodecExamples { input: clean.clone(), target: clean, denoise });
        };
        let mut rng = generator(self.seed, "noise", step);
        let chosen = |on| if on { Denoise::On } else { Denoise::Off };
        let denoise: Vec<_> = (0..batch).map(|_| chosen(rng.random())).collect();
        let shares: Vec<_> = (0..batch).map(|_| noise.settings.draw(&mut rng)).collect();
        let noise = noise.levelled(&clean, &shares, (rng.random(), step))?;
        let kept = denoise.iter().map(|it| f32::from(*it == Denoise::Off)).collect();
        let target = clean.clone() + noise.clone() * column(kept, &clean.device());
        Ok(CodecExamples { input: clean + noise, target, denoise })
    }
}

impl NoiseSettings {
    fn validate(&self) -> Result<(), TrainError> {
        let Self { noisy_share, least_snr_db, greatest_snr_db } = *self;
        let share = || "between 0 and 1".to_owned();
        require((0.0..=1.0).contains(&noisy_share), "codec.noise.noisy_share", share, noisy_share)?;
        let above = || format!("at least {least_snr_db}, which is codec.noise.least_snr_db");
        let holds = least_snr_db.is_finite() && greatest_snr_db >= least_snr_db;
        require(holds, "codec.noise.greatest_snr_db", above, greatest_snr_db)
    }

    /// How loud the noise of an example is beside its signal; 0 for none.
    fn draw(&self, rng: &mut audiolm_nn::Generator) -> f32 {
        let noisy = rng.random::<f64>() < self.noisy_share;
        let along = rng.random::<f64>();
        let snr_db = self.least_snr_db + along * (self.greatest_snr_db - self.least_snr_db);
        if noisy { 10.0_f64.powf(-snr_db / 20.0) as f32 } else { 0.0 }
    }
}

impl Noise {
    /// Crops of noise at these shares of the level of each wave: `[batch, 1, samples]`.
    fn levelled(
        &self,
        clean: &Tensor<3>,
        shares: &[f32],
        (seed, step): (u64, u64),
    ) -> Result<Tensor<3>, TrainError> {
        let [batch, _, samples] = clean.dims();
        let crops = self.sampler.batch(seed, step, batch);
        let noise = waves(&self.waves, &crops, samples, &clean.device())?.unsqueeze_dim::<3>(1);
        let level = |it: &Tensor<3>| it.clone().square().mean_dim(2).sqrt();
        let gains = level(clean) / (level(&noise) + SILENCE);
        Ok(noise * gains * column(shares.to_vec(), &clean.device()))
    }
}

/// `[n, 1, 1]`
fn column(values: Vec<f32>, device: &Device) -> Tensor<3> {
    let shape = [values.len(), 1, 1];
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;
    use crate::{DataSettings, Plan, Preset, Stage, StopSignal, Unobserved};
    use audiolm_audio::Clip;

    const SAMPLES: usize = 800;

    /// A mixer of noise between these bounds, over half a second of hiss.
    fn mixer(settings: NoiseSettings) -> Result<NoiseMixer, TrainError> {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = generator(0, "hiss", 0);
        let samples = (0..8000).map(|_| rng.random::<f32>() - 0.5).collect();
        let hiss = Clip { samples, sample_rate_hz: 16_000 };
        hiss.write_wav(folder.path().join("hiss.wav")).unwrap();
        let manifest = "path,set,split\nhiss.wav,noise,train\n";
        std::fs::write(folder.path().join("manifest.csv"), manifest).unwrap();
        let data = DataSettings {
            folder: folder.path().to_owned(),
            noise_sets: vec!["noise".to_owned()],
            ..Default::default()
        };
        let plan = Plan::preset(Preset::Smoke);
        let mut codec = plan.codec.clone();
        codec.model.film = Some(audiolm_codec::FilmSide::Encoder);
        codec.noise = settings;
        let mut run = StageRun {
            folder: folder.path(),
            data: &data,
            condition: None,
            provided: None,
            seed: 0,
            device: &Device::default(),
            observer: &mut Unobserved,
            stop: &StopSignal::default(),
            origin: Origin::of(Stage::Codec, &plan),
        };
        NoiseMixer::open(&mut run, &codec)
    }

    fn tones(batch: usize) -> Tensor<3> {
        let samples = (0..batch * SAMPLES).map(|it| (0.05 * it as f32).sin() * 0.1);
        let data = TensorData::new(samples.collect::<Vec<_>>(), [batch, 1, SAMPLES]);
        Tensor::from_data(data, &Device::default())
    }

    fn energies(it: Tensor<3>) -> Vec<f32> {
        it.square().mean_dim(2).try_into_vec_as().unwrap()
    }

    #[test]
    fn mixtures_lie_within_their_bounds_and_targets_follow_what_is_asked() {
        let settings = NoiseSettings { noisy_share: 0.5, least_snr_db: 3.0, greatest_snr_db: 9.0 };
        let clean = tones(64);
        let examples = mixer(settings).unwrap().examples(clean.clone(), 7).unwrap();
        let signal = energies(clean.clone());
        let noise = energies(examples.input.clone() - clean.clone());
        let kept = energies(examples.target.clone() - clean);
        let missing = energies(examples.input - examples.target);
        let mut seen = [[0; 2]; 2];
        for idx in 0..64 {
            let on = examples.denoise[idx] == Denoise::On;
            seen[usize::from(noise[idx] > 1e-8)][usize::from(on)] += 1;
            assert_eq!(if on { kept[idx] } else { missing[idx] }, 0.0, "example {idx}");
            let snr_db = 10.0 * (signal[idx] / noise[idx]).log10();
            assert!(noise[idx] == 0.0 || (2.99..9.01).contains(&snr_db), "{snr_db} dB");
        }
        assert!(seen.as_flattened().iter().all(|it| *it > 5), "{seen:?}");
    }

    #[test]
    fn a_step_has_the_same_mixture_every_time() {
        let mixer = mixer(NoiseSettings::default()).unwrap();
        let input = |step| mixer.examples(tones(4), step).unwrap().input.into_data();
        assert_eq!(input(3), input(3));
        assert_ne!(input(3), input(4));
    }

    #[track_caller]
    fn check_refused(settings: NoiseSettings, named: &str) {
        let error = mixer(settings).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }

    #[test]
    fn ranges_that_are_none_are_refused() {
        let share = NoiseSettings { noisy_share: 1.5, ..Default::default() };
        check_refused(share, "codec.noise.noisy_share: expected between 0 and 1, found 1.5");
        let snr = NoiseSettings { least_snr_db: 5.0, greatest_snr_db: 4.0, noisy_share: 1.0 };
        check_refused(snr, "codec.noise.greatest_snr_db: expected at least 5");
    }
}
