//! The semantic tokenizer: clusters of one layer of the finished encoder.

use std::fs;
use std::path::Path;

use audiolm_data::CropSampler;
use audiolm_nn::{Precision, generator};
use audiolm_semantic::{Clustering, SemanticTokenizer};
use burn::prelude::*;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::recordings::{Recordings, waves};
use crate::run::StageRun;
use crate::semantic_encoder::{encoder_fingerprint, load_encoder};
use crate::{Ending, Measures, TrainError};

/// Folder of the exported tokenizer.
pub(crate) const PART: &str = "semantic-tokenizer";
/// Crops that pass through the encoder at once.
const CROPS_AT_ONCE: usize = 8;

/// How to fit the clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmeansSettings {
    /// Layer whose output is clustered; 0 is what enters the first.
    pub layer: usize,
    /// Clusters (K in AudioLM).
    pub n_clusters: usize,
    /// Frames to fit them on, drawn from the train split.
    pub frames: usize,
    /// Lloyd's iterations.
    pub iterations: usize,
    /// Samples of a crop.
    pub crop_samples: usize,
}

/// Fits the clusters of a run and exports the tokenizer.
///
/// # Errors
/// Where the encoder has not been trained, or recordings or files cannot be used.
pub(crate) fn train_kmeans(
    run: StageRun<'_>,
    settings: &KmeansSettings,
) -> Result<Ending, TrainError> {
    let (config, encoder) = load_encoder(&run, run.device)?;
    let made_from = MadeFrom { encoder: encoder_fingerprint(&run)?, seed: run.seed, settings };
    if made_from.is_recorded_in(&run.export_folder(PART)) {
        return Ok(Ending::Finished);
    }
    let rate = config.sample_rate_hz() as u32;
    let recordings = Recordings::open(run.data, rate, &run.cache_folder(), run.observer)?;
    let sampler = CropSampler::new(&recordings.train.lengths(), settings.crop_samples);
    let frames_per_crop = settings.crop_samples / config.geometry().hop_samples;
    let n_batches = settings.frames.div_ceil(frames_per_crop * CROPS_AT_ONCE) as u64;

    run.observer.begin("kmeans: features", 0, n_batches);
    let mut features = Vec::new();
    for batch in 0..n_batches {
        if run.stop.is_set() {
            run.observer.end();
            return Ok(Ending::Stopped { step: 0 });
        }
        let seed = generator(run.seed, "k-means crops", batch).next_u64();
        let crops = sampler.batch(seed, batch, CROPS_AT_ONCE);
        let wave = waves(&recordings.train, &crops, settings.crop_samples, run.device)?;
        let wave = config.geometry().pad(wave);
        let layer: Tensor<3> = encoder.features(wave, settings.layer);
        features.push(layer.flatten(0, 1));
        run.observer.advance(batch + 1, &Measures::default());
    }
    run.observer.end();

    run.observer.begin("kmeans: clusters", 0, 1);
    let points = Tensor::<2>::cat(features, 0);
    let rng = &mut generator(run.seed, "k-means", 0);
    let clustering = Clustering::fit(points, settings.n_clusters, settings.iterations, rng);
    let tokenizer = SemanticTokenizer::new(&config, encoder, settings.layer, clustering)?;
    run.export(PART, |folder| {
        tokenizer.save(folder, Precision::Full)?;
        made_from.record_in(folder)
    })?;
    run.observer.advance(1, &Measures::default());
    run.observer.end();
    Ok(Ending::Finished)
}

/// What a tokenizer follows from: with the same, it would come out the same.
#[derive(Serialize)]
struct MadeFrom<'a> {
    encoder: String,
    seed: u64,
    settings: &'a KmeansSettings,
}

impl MadeFrom<'_> {
    const FILE: &'static str = "made-from.json";

    fn is_recorded_in(&self, export: &Path) -> bool {
        fs::read_to_string(export.join(Self::FILE)).is_ok_and(|it| it == self.text())
    }

    fn record_in(&self, export: &Path) -> Result<(), TrainError> {
        let path = export.join(Self::FILE);
        fs::write(&path, self.text()).map_err(TrainError::io(&path))
    }

    fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain numbers and strings")
    }
}
