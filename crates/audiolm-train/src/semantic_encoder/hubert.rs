//! An iteration of HuBERT's pretraining. The targets of the first are clusters of MFCCs, those of the
//! next are clusters of what the encoder before has learnt (Hsu et al. 2021, arXiv 2106.07447, section
//! II).

use std::path::Path;

use audiolm_nn::generator;
use audiolm_semantic::{
    Clustering, ClusteringConfig, Encoder, HubertPretraining, HubertPretrainingConfig,
    PretrainingBatch, PretrainingOutput, SemanticError,
};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use rand::{Rng, RngExt};

use super::crops::{Crops, Draw};
use super::{PART, Spread, scalar, validated};
use crate::checkpoint::{load_module, save_module};
use crate::drive::Trainee;
use crate::learner::Learner;
use crate::recordings::Waves;
use crate::target_features::TargetFeatures;
use crate::{Measures, Observer, TrainError};

/// Frames for each cluster of targets that k-means looks at.
const FRAMES_PER_CLUSTER: usize = 200;
/// Lloyd's iterations on them.
const KMEANS_ITERATIONS: usize = 20;
/// Crops whose features are computed at once for the clusters of the targets.
const CROPS_AT_ONCE: usize = 16;

/// An iteration of HuBERT's pretraining under way.
pub(super) struct HubertTrainee<'a> {
    crops: Crops<'a>,
    features: TargetFeatures,
    targets: Clustering,
    learner: Learner<HubertPretraining>,
}

impl<'a> HubertTrainee<'a> {
    pub(super) fn new(crops: Crops<'a>) -> Result<Self, TrainError> {
        let Crops { settings, device, .. } = &crops;
        device.seed(crops.seed);
        let features = TargetFeatures::new(settings, device)?;
        let targets = ClusteringConfig::new(settings.n_targets, features.n_features()).init(device);
        let model = HubertPretrainingConfig::new(settings.model.clone(), settings.n_targets)
            .with_front_end_gradient(settings.front_end_gradient)
            .init(&device.clone().autodiff())
            .map_err(SemanticError::from)?;
        Ok(Self { crops, features, targets, learner: Learner::new(model, "model.bpk") })
    }

    /// What has been trained.
    pub(super) fn encoder(&self) -> Encoder {
        self.learner.model.valid().encoder.into()
    }

    /// Clusters the features of random crops.
    fn fit_targets(&mut self) -> Result<(), TrainError> {
        let Crops { settings, train, seed, .. } = self.crops;
        let frames = settings.crop_samples / settings.model.geometry().hop_samples;
        let wanted = FRAMES_PER_CLUSTER * settings.n_targets;
        let n_crops = wanted.div_ceil(frames.max(1));
        let crops = self.crops.padded(train, Draw { stream: "targets", step: 0 }, n_crops)?;
        let crops = crops.split(CROPS_AT_ONCE, 0).into_iter();
        let features = crops.map(|it| self.features.forward(it).flatten(0, 1));
        let features = Tensor::<2>::cat(features.collect(), 0);
        let rng = &mut generator(seed, "targets", 0);
        self.targets = Clustering::fit(features, settings.n_targets, KMEANS_ITERATIONS, rng);
        Ok(())
    }

    fn batch(&self, store: &Waves, draw: Draw) -> Result<PretrainingBatch, TrainError> {
        let Crops { settings, seed, device, .. } = &self.crops;
        let wave = self.crops.padded(store, draw, settings.batch)?;
        let targets = self.targets.assign(self.features.forward(wave.clone()));
        let mut rng = generator(*seed, draw.stream, draw.step);
        // The first number has chosen the crops.
        let _: u64 = rng.random();
        let mask = settings.masking.sample_batch(targets.dims(), &mut rng, device);
        Ok(PretrainingBatch { wave, targets, mask })
    }
}

fn measures(output: &PretrainingOutput) -> Measures {
    Measures::default()
        .with("loss", scalar(&output.loss))
        .with("prediction", scalar(&output.prediction_loss))
        .with("accuracy", scalar(&output.masked_accuracy))
        .with("usage", scalar(&output.usage))
}

impl Trainee for HubertTrainee<'_> {
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
        let PretrainingBatch { wave, targets, mask } =
            self.batch(self.crops.train, Draw { stream: "crops", step })?;
        self.crops.device.seed(generator(self.crops.seed, "dropout", step).next_u64());
        let batch = PretrainingBatch {
            wave: wave.autodiff(),
            targets: targets.autodiff(),
            mask: mask.autodiff(),
        };
        let output = self.learner.model.forward(batch);
        let gradients = GradientsParams::from_grads(output.loss.backward(), &self.learner.model);
        let rate = self.crops.settings.schedule.learning_rate(step);
        self.learner.descend(gradients, rate);
        Ok(measures(&output).with("learning_rate", rate))
    }

    fn validate(&mut self, step: u64) -> Result<Measures, TrainError> {
        let model = self.learner.model.valid();
        let measured = validated(&["prediction", "accuracy", "usage"], |step| {
            let batch = self.batch(self.crops.valid, Draw { stream: "valid", step })?;
            Ok(measures(&model.forward(batch)))
        })?;
        let n_clusters = self.crops.settings.n_targets;
        let usage = measured.get("usage").unwrap_or(f64::NAN);
        let guesses = Spread { of: "guesses", over: usage * n_clusters as f64, n_clusters };
        guesses.check(step, self.crops.settings)?;
        Ok(measured)
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        self.learner.save(folder)?;
        save_module(&self.targets, &folder.join("targets.bpk"))
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.targets = load_module(self.targets.clone(), &folder.join("targets.bpk"))?;
        self.learner.restore(folder)
    }
}
