//! Clusters of more frames than memory holds: mini-batch k-means, resumable like any other training.

use std::path::Path;

use audiolm_data::Split;
use audiolm_nn::generator;
use audiolm_nn::kmeans::{SEEDING_POINTS, Tally};
use audiolm_semantic::{Clustering, ClusteringConfig, Encoder, EncoderConfig, StreamedClustering};
use burn::prelude::*;
use serde_json::json;

use crate::checkpoint::{load_module, save_module};
use crate::drive::{Drive, Trainee};
use crate::kmeans::{Frames, KmeansSettings, TRAIN_STREAM};
use crate::recordings::{Recordings, require_seconds};
use crate::run::StageRun;
use crate::semantic_encoder::encoder_fingerprint;
use crate::{Ending, Measures, Observer, TrainError};

const STAGE: &str = "kmeans";
/// Groups of crops held out for validation.
const VALIDATION_GROUPS: u64 = 4;

/// Fits the clusters batch by batch, or goes on with them.
pub(crate) fn fit_streamed(
    run: &mut StageRun<'_>,
    settings: &KmeansSettings,
    (config, encoder): (&EncoderConfig, &Encoder),
) -> Result<Fitted, TrainError> {
    let rate = config.sample_rate_hz() as u32;
    let recordings = Recordings::open(run.data, rate, &run.cache_folder(), run.observer)?;
    let crop_seconds = settings.crop_samples as f64 / f64::from(rate);
    require_seconds(&recordings.train, Split::Train, crop_seconds)?;
    require_seconds(&recordings.valid, Split::Valid, crop_seconds)?;

    let (seed, device) = (run.seed, run.device);
    let frames = |waves, stream| Frames { settings, config, encoder, waves, stream, seed, device };
    let n_features = settings.layers().n_features(encoder.d_model());
    let shape = ClusteringConfig::new(settings.n_clusters, n_features);
    let mut trainee = KmeansTrainee {
        settings,
        train: frames(&recordings.train, TRAIN_STREAM),
        valid: frames(&recordings.valid, "k-means valid"),
        seed,
        fit: shape.init_streamed(device),
    };
    let lineage = json!({ "encoder": encoder_fingerprint(run)? });
    run.origin = run.origin.clone().with_lineage(lineage);
    let steps = trainee.batches_per_pass() * settings.iterations as u64;
    let ending = Drive::new(run, STAGE, steps, settings.cadence)?.run(&mut trainee)?;
    Ok(match ending {
        Ending::Finished => Fitted::Whole(trainee.fit.clustering()),
        Ending::Stopped { step } => Fitted::Stopped { step },
    })
}

/// How far a fit has come.
#[allow(clippy::large_enum_variant, reason = "there is one for each run")]
pub(crate) enum Fitted {
    /// To its end.
    Whole(Clustering),
    /// The stop signal came; a checkpoint may hold the steps done so far.
    Stopped { step: u64 },
}

/// A pass is the groups of crops that Lloyd's iterations would hold all at once, some for each step.
struct KmeansTrainee<'a> {
    settings: &'a KmeansSettings,
    train: Frames<'a>,
    valid: Frames<'a>,
    seed: u64,
    fit: StreamedClustering,
}

impl KmeansTrainee<'_> {
    fn groups_per_batch(&self) -> u64 {
        self.train.groups_of(self.settings.batch_frames)
    }

    fn batches_per_pass(&self) -> u64 {
        self.train.groups_of(self.settings.frames).div_ceil(self.groups_per_batch())
    }

    /// The features of a step, which are those of the same step of every pass: `[n, n_features]`.
    fn batch(&self, step: u64) -> Result<Tensor<2>, TrainError> {
        let first = step % self.batches_per_pass() * self.groups_per_batch();
        let end = first + self.groups_per_batch();
        self.train.features(first..end.min(self.train.groups_of(self.settings.frames)))
    }

    /// One batch at least, and enough to draw seeds from.
    fn sample_groups(&self) -> u64 {
        let wanted = self.settings.batch_frames.max(SEEDING_POINTS * self.settings.n_clusters);
        self.train.groups_of(wanted.min(self.settings.frames))
    }
}

fn measures(tally: &Tally) -> Measures {
    Measures::default()
        .with("inertia", tally.inertia())
        .with("usage", tally.usage())
        .with("perplexity", tally.perplexity())
}

impl Trainee for KmeansTrainee<'_> {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn prepare(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        observer.begin("kmeans: first sample", 0, 1);
        let sample = self.train.features(0..self.sample_groups())?;
        let rng = &mut generator(self.seed, "k-means", 0);
        self.fit = StreamedClustering::begin(sample, self.settings.n_clusters, rng);
        observer.advance(1, &Measures::default());
        observer.end();
        Ok(())
    }

    fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
        let features = self.batch(step)?;
        let report = self.fit.step(features, &mut generator(self.seed, "k-means step", step));
        let loss = report.tally.inertia();
        Ok(measures(&report.tally).with("loss", loss).with("moved", report.moved as f64))
    }

    fn validate(&mut self, _steps_done: u64) -> Result<Measures, TrainError> {
        let mut all = Tally::empty(self.settings.n_clusters);
        for group in 0..VALIDATION_GROUPS {
            all = all.plus(&self.fit.tally(self.valid.features(group..group + 1)?));
        }
        Ok(measures(&all))
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        save_module(&self.fit, &folder.join("clusters.bpk"))
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.fit = load_module(self.fit.clone(), &folder.join("clusters.bpk"))?;
        Ok(())
    }
}
