//! Training of the codec: reconstruction through a quantizer that learns by averages.
//!
//! The adversarial losses of the paper belong between `reconstruction_loss` and the optimiser's
//! step; nothing else here depends on their absence.

use std::f64;
use std::path::Path;

use audiolm_codec::{
    MultiScaleMelLoss, QuantizedOutput, ResidualEma, SoundStream, SoundStreamConfig,
};
use audiolm_data::{Crop, CropSampler, Split};
use audiolm_nn::{Precision, generator};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{load_module, load_optimizer, save_module, save_optimizer};
use crate::codec_noise::{CodecExamples, NoiseMixer};
use crate::drive::{Drive, Trainee};
use crate::layer_rates::LayerRates;
use crate::recordings::{Recordings, Waves, require_seconds, waves};
use crate::run::StageRun;
use crate::{Cadence, Ending, Measures, NoiseSettings, Observer, Schedule, TrainError};

/// Vectors for each entry of a codebook that the initialisation by k-means looks at.
const VECTORS_PER_ENTRY: usize = 128;
/// Largest gain that brings a crop to its level.
const MOST_GAIN_DB: f64 = 20.0;
/// Energy below which a wave is silence.
const SILENCE: f64 = 1e-8;
/// Crops held out for validation.
const VALIDATION_CROPS: usize = 32;

/// How to train the codec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecSettings {
    /// The codec.
    pub model: SoundStreamConfig,
    /// Crops in a batch.
    pub batch: usize,
    /// Samples of a crop; a multiple of the hop.
    pub crop_samples: usize,
    /// How fast to learn.
    pub schedule: Schedule,
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
    /// How often to look and to save.
    pub cadence: Cadence,
}

impl CodecSettings {
    fn vectors_per_batch(&self) -> usize {
        self.batch * self.crop_samples / self.model.hop_samples()
    }
}

/// Trains the codec of a run, or goes on with it, and exports it when it is finished.
///
/// # Errors
/// Where recordings or the run's files cannot be used, or the loss is no longer a number.
pub(crate) fn train_codec(
    mut run: StageRun<'_>,
    settings: &CodecSettings,
) -> Result<Ending, TrainError> {
    settings.model.require_mono()?;
    let rate = settings.model.sample_rate_hz as u32;
    let recordings = Recordings::open(run.data, rate, &run.cache_folder(), run.observer)?;
    let crop_seconds = settings.crop_samples as f64 / f64::from(rate);
    require_seconds(&recordings.train, Split::Train, crop_seconds)?;
    require_seconds(&recordings.valid, Split::Valid, crop_seconds)?;

    let noise = NoiseMixer::open(&mut run, settings)?;
    let mut trainee = CodecTrainee::new(settings, &recordings, noise, run.device)?;
    let drive = Drive::new(&mut run, "codec", settings.schedule.steps, settings.cadence)?;
    let ending = drive.run(&mut trainee)?;
    if ending == Ending::Finished {
        let codec = trainee.codec.valid();
        run.export("codec", |it| Ok(codec.save_to(it, &settings.model, Precision::Full)?))?;
    }
    Ok(ending)
}

struct CodecTrainee<'a> {
    settings: &'a CodecSettings,
    train: &'a Waves,
    valid: &'a Waves,
    seed: u64,
    noise: NoiseMixer,
    device: Device,
    sampler: CropSampler,
    mel: MultiScaleMelLoss,
    codec: SoundStream,
    averages: ResidualEma,
    optimizer: ModuleOptimizer,
}

impl<'a> CodecTrainee<'a> {
    fn new(
        settings: &'a CodecSettings,
        recordings: &'a Recordings,
        noise: NoiseMixer,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let seed = noise.seed;
        let device = device.clone().autodiff();
        device.seed(seed);
        let codec = settings.model.init(&device)?;
        let averages = ResidualEma::new(codec.quantizer(), settings.vectors_per_batch());
        let optimizer = AdamWConfig::new()
            .with_beta_1(0.8)
            .with_beta_2(0.99)
            .with_weight_decay(0.0)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
            .init();
        Ok(Self {
            settings,
            train: &recordings.train,
            valid: &recordings.valid,
            seed,
            noise,
            sampler: CropSampler::new(&recordings.train.lengths(), settings.crop_samples),
            mel: MultiScaleMelLoss::new(settings.model.sample_rate_hz, &device),
            device,
            codec,
            averages,
            optimizer,
        })
    }

    /// Codebooks that fit what the untrained encoder makes of the first batches (section III-C).
    fn fit_codebooks(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let quantizers = self.settings.model.quantizer.n_quantizers() as u64;
        let per_batch = self.settings.vectors_per_batch();
        let wanted = VECTORS_PER_ENTRY * self.settings.model.quantizer.codebook_size();
        let codec = self.codec.valid();
        let mut vectors = Vec::new();
        for batch in 0..wanted.div_ceil(per_batch) as u64 {
            let wave = self.batch("codebooks", batch)?.inner();
            vectors.push(codec.embed(wave));
        }
        let rng = &mut generator(self.seed, "codebooks", 0);
        observer.begin("codec: codebooks", 0, quantizers);
        let fitted = codec.fit_codebooks(Tensor::cat(vectors, 0), rng, |done| {
            observer.advance(done as u64, &Measures::default());
        });
        observer.end();
        self.codec = fitted.train();
        self.averages = ResidualEma::new(self.codec.quantizer(), per_batch);
        Ok(())
    }

    /// Crops at varied levels: `[batch, 1, samples]`.
    fn batch(&self, stream: &str, step: u64) -> Result<Tensor<3>, TrainError> {
        let mut rng = generator(self.seed, stream, step);
        let crops = self.sampler.batch(rng.random(), step, self.settings.batch);
        let wave = waves(self.train, &crops, self.settings.crop_samples, &self.device)?;
        let spread = self.settings.level_spread_db;
        let levels = crops.iter().map(|_| spread * (2.0 * rng.random::<f64>() - 1.0));
        Ok(self.levelled(wave, levels.collect()).unsqueeze_dim(1))
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

    /// The same held-out crops every time: `[crops, 1, samples]`.
    fn validation_wave(&self, device: &Device) -> Result<Tensor<3>, TrainError> {
        let sampler = CropSampler::new(&self.valid.lengths(), self.settings.crop_samples);
        let crops: Vec<Crop> = sampler.batch(self.seed, 0, VALIDATION_CROPS);
        let wave = waves(self.valid, &crops, self.settings.crop_samples, device)?;
        Ok(self.levelled(wave, vec![0.0; crops.len()]).unsqueeze_dim(1))
    }

    /// How many leading quantizers each example uses: uniform over all numbers for those that drop
    /// some (quantizer dropout, arXiv 2107.03312, section III-C).
    fn active(&self, step: u64) -> Vec<usize> {
        let mut rng = generator(self.seed, "quantizer dropout", step);
        let n_quantizers = self.settings.model.quantizer.n_quantizers();
        let mut drawn = || match rng.random::<f64>() < self.settings.quantizer_dropout {
            true => rng.random_range(1..=n_quantizers),
            false => n_quantizers,
        };
        (0..self.settings.batch).map(|_| drawn()).collect()
    }

    fn reconstruction_loss(&self, wave: Tensor<3>, output: Tensor<3>) -> Losses {
        Losses {
            mel: self.mel.forward(wave.clone(), output.clone()),
            noise: log_noise_share(wave, output),
        }
    }

    fn learn_codebooks(&mut self, seen: &QuantizedOutput, step: u64) {
        let rng = &mut generator(self.seed, "revival", step);
        let (averages, quantizer) =
            self.averages.clone().learn(self.codec.quantizer().clone(), seen, rng);
        self.averages = averages;
        self.codec = self.codec.clone().with_quantizer(quantizer);
    }
}

struct Losses {
    mel: Tensor<1>,
    noise: Tensor<1>,
}

/// The logarithm of the share of a wave's energy that its reconstruction misses, mean over the
/// batch: `[1]`.
fn log_noise_share(wave: Tensor<3>, output: Tensor<3>) -> Tensor<1> {
    let energy = |it: Tensor<3>| it.square().mean_dim(2) + SILENCE;
    (energy(output - wave.clone()).log() - energy(wave).log()).mean()
}

impl Trainee for CodecTrainee<'_> {
    fn stage(&self) -> &'static str {
        "codec"
    }

    fn prepare(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.fit_codebooks(observer)
    }

    fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
        let CodecExamples { input, target, denoise } =
            self.noise.examples(self.batch("crops", step)?, step)?;
        let output = self.codec.forward_with(input, &self.active(step), &denoise);
        let losses = self.reconstruction_loss(target, output.wave);
        let commitment = output.quantized.commitment.clone();
        let loss = losses.mel.clone()
            + losses.noise.clone() * self.settings.wave_weight
            + commitment.clone() * self.settings.commitment_weight
            + output.quantized.codebook.clone();
        let measures = Measures::default()
            .with("loss", scalar(loss.clone()))
            .with("mel", scalar(losses.mel))
            .with("snr_db", decibels(losses.noise))
            .with("commitment", scalar(commitment));
        let gradients = GradientsParams::from_grads(loss.backward(), &self.codec);
        let rate = self.settings.schedule.learning_rate(step);
        let rates = LayerRates::of(&self.codec).at(rate);
        self.codec = self.optimizer.step(rates, self.codec.clone(), gradients);
        self.learn_codebooks(&output.quantized, step);
        Ok(measures.with("learning_rate", rate))
    }

    fn validate(&mut self, _steps_done: u64) -> Result<Measures, TrainError> {
        let codec = self.codec.valid();
        let device = self.device.clone().without_autodiff();
        let mel = MultiScaleMelLoss::new(self.settings.model.sample_rate_hz, &device);
        let wave = self.validation_wave(&device)?;
        let codes = codec.encode(wave.clone());
        let decoded = |n| codec.decode(codes.clone().slice_dim(1, ..n));
        let n_quantizers = self.settings.model.quantizer.n_quantizers();
        let noise = log_noise_share(wave.clone(), decoded(n_quantizers));
        let measures = Measures::default().with("snr_db", decibels(noise));
        let distance = |n| scalar(mel.forward(wave.clone(), decoded(n)));
        Ok([1, n_quantizers.div_ceil(3), n_quantizers]
            .into_iter()
            .fold(measures, |all, n| all.with(&format!("mel_{n}"), distance(n))))
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        save_module(&self.codec, &folder.join("codec.bpk"))?;
        save_module(&self.averages, &folder.join("averages.bpk"))?;
        save_optimizer(&self.optimizer, &folder.join("optimizer.bpk"))
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.codec = load_module(self.codec.clone(), &folder.join("codec.bpk"))?;
        self.averages = load_module(self.averages.clone(), &folder.join("averages.bpk"))?;
        let empty = self.optimizer.clone();
        self.optimizer = load_optimizer(empty, &folder.join("optimizer.bpk"))?;
        Ok(())
    }
}

/// The ratio of signal to noise, from the logarithm of the noise's share.
fn decibels(log_noise_share: Tensor<1>) -> f64 {
    -10.0 / f64::consts::LN_10 * scalar(log_noise_share)
}

fn scalar(value: Tensor<1>) -> f64 {
    f64::from(value.into_scalar::<f32>())
}
