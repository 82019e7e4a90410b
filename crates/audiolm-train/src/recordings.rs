//! The recordings of a run, decoded once and brought to one loudness.

use std::path::Path;

use audiolm_audio::Clip;
use audiolm_data::{Corpus, Crop, Recording, Split, WaveStore};
use burn::prelude::*;

use crate::{DataSettings, Measures, Observer, TrainError};

/// Waves to train on and waves held out.
#[derive(Debug)]
pub(crate) struct Recordings {
    pub(crate) train: Waves,
    pub(crate) valid: Waves,
}

/// The recordings of one split, each at [`audiolm_audio::REFERENCE_DBFS`], as the pipeline will
/// hear them.
#[derive(Debug)]
pub(crate) struct Waves {
    store: WaveStore,
    gains: Vec<f32>,
}

impl Waves {
    fn new(store: WaveStore) -> Result<Self, TrainError> {
        let gain = |recording| -> Result<f32, TrainError> {
            let samples = store.read(recording, 0, store.samples_of(recording))?;
            Ok(Clip { samples, sample_rate_hz: store.rate_hz() }.reference_gain())
        };
        let gains = (0..store.len()).map(gain).collect::<Result<_, _>>()?;
        Ok(Self { store, gains })
    }

    /// The recordings of noise to train with.
    pub(crate) fn of_noise(
        settings: &DataSettings,
        rate_hz: u32,
        cache: &Path,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        if settings.noise_sets.is_empty() {
            return Err(TrainError::NoNoise);
        }
        let corpus = Corpus::open(&settings.folder, &settings.noise_options())?;
        decoded("decoding noise", &corpus.of(Split::Train), (rate_hz, cache), observer)
    }

    pub(crate) fn len(&self) -> usize {
        self.store.len()
    }

    pub(crate) fn key(&self, recording: usize) -> &str {
        self.store.key(recording)
    }

    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.store.lengths()
    }

    /// All samples of a recording.
    pub(crate) fn whole(&self, recording: usize) -> Result<Vec<f32>, TrainError> {
        self.read(recording, 0, self.store.samples_of(recording))
    }

    /// `length` samples from `start` on, with silence past the end.
    fn read(&self, recording: usize, start: usize, length: usize) -> Result<Vec<f32>, TrainError> {
        let mut samples = self.store.read(recording, start, length)?;
        for sample in &mut samples {
            *sample *= self.gains[recording];
        }
        Ok(samples)
    }
}

impl Recordings {
    /// Opens the folder of `settings`, decoding into `cache` what is not there yet.
    pub(crate) fn open(
        settings: &DataSettings,
        rate_hz: u32,
        cache: &Path,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let corpus = Corpus::open(&settings.folder, &settings.options())?;
        let mut open = |split: Split| -> Result<Waves, TrainError> {
            let mut recordings = corpus.of(split);
            recordings.retain(|it| !settings.noise_sets.contains(&it.set));
            decoded(&format!("decoding {}", split.name()), &recordings, (rate_hz, cache), observer)
        };
        Ok(Self { train: open(Split::Train)?, valid: open(Split::Valid)? })
    }
}

fn decoded(
    work: &str,
    recordings: &[&Recording],
    (rate_hz, cache): (u32, &Path),
    observer: &mut dyn Observer,
) -> Result<Waves, TrainError> {
    observer.begin(work, 0, recordings.len() as u64);
    let store = WaveStore::open_or_build(recordings, rate_hz, cache, &mut |done, _| {
        observer.advance(done as u64, &Measures::default());
    })?;
    observer.end();
    Waves::new(store)
}

/// Refuses a store shorter than `seconds`.
pub(crate) fn require_seconds(waves: &Waves, split: Split, needed: f64) -> Result<(), TrainError> {
    let seconds = waves.store.total_seconds();
    if seconds < needed {
        return Err(TrainError::TooLittleAudio { split: split.name(), seconds, needed });
    }
    Ok(())
}

/// The waves of `crops`, each padded with silence to `length` samples: `[batch, length]`.
pub(crate) fn waves(
    recordings: &Waves,
    crops: &[Crop],
    length: usize,
    device: &Device,
) -> Result<Tensor<2>, TrainError> {
    let mut samples = Vec::with_capacity(crops.len() * length);
    for crop in crops {
        samples.extend(recordings.read(crop.recording, crop.start, length)?);
    }
    Ok(Tensor::from_data(TensorData::new(samples, [crops.len(), length]), device))
}
