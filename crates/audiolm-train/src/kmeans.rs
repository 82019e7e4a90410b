//! The semantic tokenizer: clusters of one layer of the finished encoder.

use std::fs;
use std::ops::Range;
use std::path::Path;

use audiolm_data::CropSampler;
use audiolm_nn::{Precision, generator};
use audiolm_semantic::{
    Clustering, Encoder, EncoderConfig, SemanticTokenizer, TappedLayers, means_of_frames,
};
use burn::prelude::*;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::recordings::{Recordings, Waves, waves};
use crate::run::StageRun;
use crate::semantic_encoder::{encoder_fingerprint, load_encoder};
use crate::streamed_kmeans::{Fitted, fit_streamed};
use crate::{Cadence, Ending, Measures, TrainError};

/// Folder of the exported tokenizer.
pub(crate) const PART: &str = "semantic-tokenizer";
/// What the crops that are fitted on are drawn for.
pub(crate) const TRAIN_STREAM: &str = "k-means crops";
/// Crops that pass through the encoder at once.
const CROPS_AT_ONCE: usize = 8;

/// How to fit the clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmeansSettings {
    /// Layer whose output is clustered; 0 is what enters the first.
    pub layer: usize,
    /// Layers below it whose output stands beside its own.
    #[serde(default)]
    pub beside: Vec<usize>,
    /// Clusters (K in AudioLM).
    pub n_clusters: usize,
    /// Frames that share an id: 2 make at most 25 ids a second of 50 frames, as in AudioLM.
    pub frames_per_id: usize,
    /// Frames to fit them on, drawn from the train split; where ids are of several, means of these.
    pub frames: usize,
    /// Passes over those frames: Lloyd's iterations, or how often they are streamed.
    pub iterations: usize,
    /// Samples of a crop.
    pub crop_samples: usize,
    /// Whether the frames are held in memory.
    pub method: KmeansMethod,
    /// Frames of a batch, rounded up to whole groups of crops; of mini-batches.
    pub batch_frames: usize,
    /// How often to look and to save, in batches; of mini-batches.
    pub cadence: Cadence,
}

/// How clusters are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KmeansMethod {
    /// Lloyd's iterations over all frames, which memory holds.
    Lloyd,
    /// Batch after batch, whose features are computed anew in every pass.
    MiniBatch,
}

/// Fits the clusters of a run and exports the tokenizer.
///
/// # Errors
/// Where the encoder has not been trained, or recordings or files cannot be used.
pub(crate) fn train_kmeans(
    mut run: StageRun<'_>,
    settings: &KmeansSettings,
) -> Result<Ending, TrainError> {
    let (config, encoder) = load_encoder(&run, run.device)?;
    let made_from = MadeFrom {
        encoder: encoder_fingerprint(&run)?,
        seed: run.seed,
        settings: settings.recorded(),
    };
    if made_from.is_recorded_in(&run.export_folder(PART)) {
        return Ok(Ending::Finished);
    }
    let fitted = match settings.method {
        KmeansMethod::Lloyd => fit_in_memory(&mut run, settings, (&config, &encoder))?,
        KmeansMethod::MiniBatch => fit_streamed(&mut run, settings, (&config, &encoder))?,
    };
    let clustering = match fitted {
        Fitted::Whole(clustering) => clustering,
        Fitted::Stopped { step } => return Ok(Ending::Stopped { step }),
    };
    let tokenizer = SemanticTokenizer::new(&config, encoder, settings.layers(), clustering)?
        .with_frames_per_id(settings.frames_per_id)?;
    run.export(PART, |folder| {
        tokenizer.save(folder, Precision::Full)?;
        made_from.record_in(folder)
    })?;
    Ok(Ending::Finished)
}

fn fit_in_memory(
    run: &mut StageRun<'_>,
    settings: &KmeansSettings,
    (config, encoder): (&EncoderConfig, &Encoder),
) -> Result<Fitted, TrainError> {
    let rate = config.sample_rate_hz() as u32;
    let recordings = Recordings::open(run.data, rate, &run.cache_folder(), run.observer)?;
    let frames = Frames {
        settings,
        config,
        encoder,
        waves: &recordings.train,
        stream: TRAIN_STREAM,
        seed: run.seed,
        device: run.device,
    };
    let n_groups = frames.groups_of(settings.frames);

    run.observer.begin("kmeans: features", 0, n_groups);
    let mut features = Vec::new();
    for group in 0..n_groups {
        if run.stop.is_set() {
            run.observer.end();
            return Ok(Fitted::Stopped { step: 0 });
        }
        features.push(frames.features(group..group + 1)?);
        run.observer.advance(group + 1, &Measures::default());
    }
    run.observer.end();

    run.observer.begin("kmeans: clusters", 0, 1);
    let points = Tensor::<2>::cat(features, 0);
    let rng = &mut generator(run.seed, "k-means", 0);
    let clustering = Clustering::fit(points, settings.n_clusters, settings.iterations, rng);
    run.observer.advance(1, &Measures::default());
    run.observer.end();
    Ok(Fitted::Whole(clustering))
}

/// The features of groups of random crops: the same group is the same crops, whoever asks.
pub(crate) struct Frames<'a> {
    pub(crate) settings: &'a KmeansSettings,
    pub(crate) config: &'a EncoderConfig,
    pub(crate) encoder: &'a Encoder,
    pub(crate) waves: &'a Waves,
    /// What the crops are drawn for.
    pub(crate) stream: &'static str,
    pub(crate) seed: u64,
    pub(crate) device: &'a Device,
}

impl Frames<'_> {
    /// Groups that hold so many frames.
    pub(crate) fn groups_of(&self, frames: usize) -> u64 {
        let frames_per_crop = self.settings.crop_samples / self.config.geometry().hop_samples;
        let points_per_crop = frames_per_crop.div_ceil(self.settings.frames_per_id);
        frames.div_ceil(points_per_crop * CROPS_AT_ONCE) as u64
    }

    /// The features of some groups: `[n, n_features]`.
    pub(crate) fn features(&self, groups: Range<u64>) -> Result<Tensor<2>, TrainError> {
        let features = groups.map(|it| self.group(it)).collect::<Result<_, _>>()?;
        Ok(Tensor::cat(features, 0))
    }

    fn group(&self, group: u64) -> Result<Tensor<2>, TrainError> {
        let length = self.settings.crop_samples;
        let seed = generator(self.seed, self.stream, group).next_u64();
        let sampler = CropSampler::new(&self.waves.lengths(), length);
        let crops = sampler.batch(seed, group, CROPS_AT_ONCE);
        let wave = self.config.geometry().pad(waves(self.waves, &crops, length, self.device)?);
        let features = self.settings.layers().features(self.encoder, wave);
        Ok(means_of_frames(features, self.settings.frames_per_id).flatten(0, 1))
    }
}

impl KmeansSettings {
    /// The layers whose output is clustered.
    pub fn layers(&self) -> TappedLayers {
        TappedLayers { top: self.layer, beside: self.beside.clone() }
    }

    /// What the clusters follow from: for Lloyd's iterations, what has always been recorded of them.
    fn recorded(&self) -> Recorded {
        let Self { layer, n_clusters, frames, iterations, crop_samples, .. } = *self;
        let streamed = match self.method {
            KmeansMethod::Lloyd => None,
            KmeansMethod::MiniBatch => {
                Some(Streamed { method: self.method, batch_frames: self.batch_frames })
            }
        };
        let frames_per_id = (self.frames_per_id > 1).then_some(self.frames_per_id);
        let beside = self.beside.clone();
        Recorded {
            layer,
            beside,
            n_clusters,
            frames,
            iterations,
            crop_samples,
            frames_per_id,
            streamed,
        }
    }
}

#[derive(Serialize)]
struct Recorded {
    layer: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    beside: Vec<usize>,
    n_clusters: usize,
    frames: usize,
    iterations: usize,
    crop_samples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames_per_id: Option<usize>,
    #[serde(flatten)]
    streamed: Option<Streamed>,
}

#[derive(Serialize)]
struct Streamed {
    method: KmeansMethod,
    batch_frames: usize,
}

/// What a tokenizer follows from: with the same, it would come out the same.
#[derive(Serialize)]
struct MadeFrom {
    encoder: String,
    seed: u64,
    settings: Recorded,
}

impl MadeFrom {
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
