//! What the bundled codec's encoder makes of recordings.

use std::path::{Path, PathBuf};

use audiolm_audio::Clip;
use audiolm_codec::SoundStream;
use audiolm_nn::Generator;
use burn::prelude::*;
use rand::RngExt;

/// Of so many recordings to learn from one is taken.
const ONE_OF: usize = 2;
const RATE_HZ: u32 = 16_000;

/// Vectors `[n, dimension]` whose mean is zero, and whose mean square is one.
pub struct Vectors {
    pub train: Tensor<2>,
    pub test: Tensor<2>,
}

impl Vectors {
    pub fn read(folder: &Path, device: &Device) -> Self {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/speech-tiny/codec");
        let codec = SoundStream::load_from(&models, device).unwrap();
        let of = |split: &str, one_of: usize| {
            let files = recordings(&folder.join(split));
            let vectors = files.iter().step_by(one_of).map(|it| embedded(&codec, it, device));
            Tensor::cat(vectors.collect::<Vec<_>>(), 0)
        };
        let (train, test) = (of("train", ONE_OF), of("test", 1));
        let mean = train.clone().mean_dim(0);
        let scale = (train.clone() - mean.clone()).square().mean().sqrt().into_scalar::<f32>();
        let normal = |it: Tensor<2>| (it - mean.clone()) / scale;
        Self { train: normal(train), test: normal(test) }
    }

    pub fn dimension(&self) -> usize {
        self.train.dims()[1]
    }

    pub fn device(&self) -> Device {
        self.train.device()
    }

    /// So many vectors to learn from, drawn with replacement: `[examples, time, dimension]`.
    pub fn batch(&self, [examples, time]: [usize; 2], rng: &mut Generator) -> Tensor<3> {
        let [available, dimension] = self.train.dims();
        let draw = |_| rng.random_range(0..available) as i64;
        let rows: Vec<i64> = (0..examples * time).map(draw).collect();
        let rows =
            Tensor::<1, Int>::from_data(TensorData::from(rows.as_slice()), &self.train.device());
        self.train.clone().select(0, rows).reshape([examples, time, dimension])
    }
}

fn embedded(codec: &SoundStream, path: &Path, device: &Device) -> Tensor<2> {
    let clip = Clip::read_at(path, RATE_HZ).unwrap();
    let gain = clip.reference_gain();
    let samples: Vec<f32> = clip.samples.iter().map(|it| it * gain).collect();
    let shape = [1, 1, samples.len()];
    codec.embed(Tensor::from_data(TensorData::new(samples, shape), device))
}

/// Every sound file in a folder and below it, in order.
fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(recordings(&path));
        } else if path.extension().is_some_and(|it| it == "flac" || it == "wav" || it == "ogg") {
            found.push(path);
        }
    }
    found.sort();
    found
}
