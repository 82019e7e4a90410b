//! Pretraining of the semantic encoder: an iteration of HuBERT's. The targets of the first are clusters
//! of MFCCs, those of the next are clusters of what the encoder before has learnt (Hsu et al. 2021,
//! arXiv 2106.07447, section II).

use std::path::{Path, PathBuf};

use audiolm_data::{CropSampler, Split};
use audiolm_nn::{Precision, fingerprint, generator, save_weights};
use audiolm_semantic::{
    Clustering, ClusteringConfig, Hubert, HubertConfig, HubertPretraining, HubertPretrainingConfig,
    PretrainingBatch, PretrainingOutput, SpanMasking,
};
use burn::config::Config;
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::checkpoint::{load_module, load_optimizer, save_module, save_optimizer};
use crate::drive::{Drive, Trainee};
use crate::recordings::{Recordings, Waves, require_seconds, waves};
use crate::run::StageRun;
use crate::target_features::{self, TargetFeatures, targets_fingerprint};
use crate::{Cadence, Ending, Measures, Observer, Schedule, TrainError};

/// Folder of the exported encoder.
pub(crate) const PART: &str = "semantic-encoder";
/// Frames for each cluster of targets that k-means looks at.
const FRAMES_PER_CLUSTER: usize = 200;
/// Lloyd's iterations on them.
const KMEANS_ITERATIONS: usize = 20;
/// Crops whose features are computed at once for the clusters of the targets.
const CROPS_AT_ONCE: usize = 16;
/// Clusters that the guesses of held-out frames must be spread over, by the exponential of their entropy.
const LEAST_SPREAD: f64 = 1.5;
/// Batches held out for validation.
const VALIDATION_BATCHES: u64 = 4;

/// How to pretrain the semantic encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SemanticEncoderSettings {
    /// The encoder.
    pub model: HubertConfig,
    /// Clusters that are to be guessed.
    pub n_targets: usize,
    /// The run whose finished encoder makes what is clustered, as in HuBERT's second iteration; where
    /// it is empty, MFCCs are.
    pub targets_from: PathBuf,
    /// The layer of that encoder.
    pub targets_layer: usize,
    /// Factor on the gradient that reaches the convolutions: 0.1 in HuBERT's long runs, where it
    /// keeps them from collapsing; a short run has to let them learn.
    pub front_end_gradient: f64,
    /// Which frames are hidden.
    pub masking: SpanMasking,
    /// Crops in a batch.
    pub batch: usize,
    /// Samples of a crop.
    pub crop_samples: usize,
    /// How fast to learn.
    pub schedule: Schedule,
    /// How often to look and to save.
    pub cadence: Cadence,
}

impl SemanticEncoderSettings {
    /// The run whose encoder makes the targets, if it is not MFCCs that do.
    pub fn targets_from(&self) -> Option<&Path> {
        (!self.targets_from.as_os_str().is_empty()).then_some(&self.targets_from)
    }
}

/// Pretrains the encoder of a run, or goes on with it, and exports it when it is finished.
///
/// # Errors
/// Where recordings or the run's files cannot be used, or the loss is no longer a number.
pub(crate) fn train_semantic_encoder(
    mut run: StageRun<'_>,
    settings: &SemanticEncoderSettings,
) -> Result<Ending, TrainError> {
    let rate = settings.model.sample_rate_hz as u32;
    let recordings = Recordings::open(run.data, rate, &run.cache_folder(), run.observer)?;
    let crop_seconds = settings.crop_samples as f64 / f64::from(rate);
    require_seconds(&recordings.train, Split::Train, crop_seconds)?;
    require_seconds(&recordings.valid, Split::Valid, crop_seconds)?;

    if let Some(encoder) = targets_fingerprint(settings)? {
        run.origin = run.origin.with_lineage(json!({ "targets": encoder }));
    }
    let mut trainee = EncoderTrainee::new(settings, &recordings, run.seed, run.device)?;
    let drive = Drive::new(&mut run, PART, settings.schedule.steps, settings.cadence)?;
    let ending = drive.run(&mut trainee)?;
    if ending == Ending::Finished {
        let encoder = trainee.model.valid().encoder;
        run.export(PART, |folder| save_encoder(&encoder, settings, folder))?;
    }
    Ok(ending)
}

fn save_encoder(
    encoder: &Hubert,
    settings: &SemanticEncoderSettings,
    folder: &Path,
) -> Result<(), TrainError> {
    let path = folder.join("config.json");
    settings.model.save(&path).map_err(|it| TrainError::malformed(&path, it))?;
    Ok(save_weights(encoder, &folder.join("model.safetensors"), Precision::Full)?)
}

/// The finished encoder of a run.
pub(crate) fn load_encoder(
    run: &StageRun<'_>,
    device: &Device,
) -> Result<(HubertConfig, Hubert), TrainError> {
    target_features::load_encoder(&run.exported(PART, PART)?, device)
}

/// What tells the finished encoder of a run from others.
pub(crate) fn encoder_fingerprint(run: &StageRun<'_>) -> Result<String, TrainError> {
    Ok(fingerprint(&run.exported(PART, PART)?)?)
}

struct EncoderTrainee<'a> {
    settings: &'a SemanticEncoderSettings,
    train: &'a Waves,
    valid: &'a Waves,
    seed: u64,
    device: Device,
    features: TargetFeatures,
    targets: Clustering,
    model: HubertPretraining,
    optimizer: ModuleOptimizer,
}

impl<'a> EncoderTrainee<'a> {
    fn new(
        settings: &'a SemanticEncoderSettings,
        recordings: &'a Recordings,
        seed: u64,
        device: &Device,
    ) -> Result<Self, TrainError> {
        device.seed(seed);
        let features = TargetFeatures::new(settings, device)?;
        let model = HubertPretrainingConfig::new(settings.model.clone(), settings.n_targets)
            .with_front_end_gradient(settings.front_end_gradient);
        let optimizer = AdamWConfig::new()
            .with_beta_2(0.98)
            .with_weight_decay(0.01)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
            .init();
        Ok(Self {
            settings,
            train: &recordings.train,
            valid: &recordings.valid,
            seed,
            device: device.clone(),
            targets: ClusteringConfig::new(settings.n_targets, features.n_features()).init(device),
            features,
            model: model
                .init(&device.clone().autodiff())
                .map_err(audiolm_semantic::SemanticError::from)?,
            optimizer,
        })
    }

    /// Clusters the features of random crops.
    fn fit_targets(&mut self) -> Result<(), TrainError> {
        let frames = self.settings.crop_samples / self.settings.model.geometry().hop_samples;
        let wanted = FRAMES_PER_CLUSTER * self.settings.n_targets;
        let n_crops = wanted.div_ceil(frames.max(1));
        let crops = self.crops(self.train, "targets", 0, n_crops)?.split(CROPS_AT_ONCE, 0);
        let features = crops.into_iter().map(|it| self.features.forward(it).flatten(0, 1));
        let features = Tensor::<2>::cat(features.collect(), 0);
        let rng = &mut generator(self.seed, "targets", 0);
        self.targets = Clustering::fit(features, self.settings.n_targets, KMEANS_ITERATIONS, rng);
        Ok(())
    }

    /// Padded crops: `[n, samples]`.
    fn crops(
        &self,
        store: &Waves,
        stream: &str,
        step: u64,
        n: usize,
    ) -> Result<Tensor<2>, TrainError> {
        let sampler = CropSampler::new(&store.lengths(), self.settings.crop_samples);
        let crops = sampler.batch(generator(self.seed, stream, step).next_u64(), step, n);
        let wave = waves(store, &crops, self.settings.crop_samples, &self.device)?;
        Ok(self.settings.model.geometry().pad(wave))
    }

    fn batch(
        &self,
        store: &Waves,
        stream: &str,
        step: u64,
    ) -> Result<PretrainingBatch, TrainError> {
        let wave = self.crops(store, stream, step, self.settings.batch)?;
        let targets = self.targets.assign(self.features.forward(wave.clone()));
        let mut rng = generator(self.seed, stream, step);
        let _: u64 = rng.random();
        let mask = self.settings.masking.sample_batch(targets.dims(), &mut rng, &self.device);
        Ok(PretrainingBatch { wave, targets, mask })
    }
}

impl EncoderTrainee<'_> {
    /// Refuses to go on with a model whose guesses are all the same. While it still warms up, that is
    /// how it begins.
    fn check_spread(&self, step: u64, usage: f64) -> Result<(), TrainError> {
        let n_clusters = self.settings.n_targets;
        let clusters = usage * n_clusters as f64;
        if step <= self.settings.schedule.warmup_steps || clusters >= LEAST_SPREAD {
            return Ok(());
        }
        Err(TrainError::Collapsed { stage: PART, step, clusters, n_clusters })
    }
}

fn measures(output: &PretrainingOutput) -> Measures {
    let scalar = |it: &Tensor<1>| f64::from(it.clone().into_scalar::<f32>());
    Measures::default()
        .with("loss", scalar(&output.loss))
        .with("prediction", scalar(&output.prediction_loss))
        .with("accuracy", scalar(&output.masked_accuracy))
        .with("usage", scalar(&output.usage))
}

impl Trainee for EncoderTrainee<'_> {
    fn stage(&self) -> &'static str {
        PART
    }

    fn prepare(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        observer.begin("semantic-encoder: targets", 0, 1);
        self.fit_targets()?;
        observer.advance(1, &Measures::default());
        observer.end();
        Ok(())
    }

    fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
        let PretrainingBatch { wave, targets, mask } = self.batch(self.train, "crops", step)?;
        self.device.seed(generator(self.seed, "dropout", step).next_u64());
        let batch = PretrainingBatch {
            wave: wave.autodiff(),
            targets: targets.autodiff(),
            mask: mask.autodiff(),
        };
        let output = self.model.forward(batch);
        let gradients = GradientsParams::from_grads(output.loss.backward(), &self.model);
        let rate = self.settings.schedule.learning_rate(step);
        self.model = self.optimizer.step(rate, self.model.clone(), gradients);
        Ok(measures(&output).with("learning_rate", rate))
    }

    fn validate(&mut self, step: u64) -> Result<Measures, TrainError> {
        let model = self.model.valid();
        let mut sums = [0.0; 3];
        const NAMES: [&str; 3] = ["prediction", "accuracy", "usage"];
        for index in 0..VALIDATION_BATCHES {
            let measured = measures(&model.forward(self.batch(self.valid, "valid", index)?));
            for (sum, name) in sums.iter_mut().zip(NAMES) {
                *sum += measured.get(name).unwrap_or(f64::NAN);
            }
        }
        let means = NAMES.into_iter().zip(sums.map(|it| it / VALIDATION_BATCHES as f64));
        let measures = means.fold(Measures::default(), |all, (name, mean)| all.with(name, mean));
        self.check_spread(step, sums[2] / VALIDATION_BATCHES as f64)?;
        Ok(measures)
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        save_module(&self.model, &folder.join("model.bpk"))?;
        save_module(&self.targets, &folder.join("targets.bpk"))?;
        save_optimizer(&self.optimizer, &folder.join("optimizer.bpk"))
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.model = load_module(self.model.clone(), &folder.join("model.bpk"))?;
        self.targets = load_module(self.targets.clone(), &folder.join("targets.bpk"))?;
        let empty = self.optimizer.clone();
        self.optimizer = load_optimizer(empty, &folder.join("optimizer.bpk"))?;
        Ok(())
    }
}
