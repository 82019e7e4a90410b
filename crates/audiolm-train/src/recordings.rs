//! The recordings of a run, decoded once.

use std::path::Path;

use audiolm_data::{Corpus, Crop, Split, WaveStore};
use burn::prelude::*;

use crate::{DataSettings, Measures, Observer, TrainError};

/// Waves to train on and waves held out.
#[derive(Debug)]
pub(crate) struct Recordings {
    pub(crate) train: WaveStore,
    pub(crate) valid: WaveStore,
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
        let mut open = |split| -> Result<WaveStore, TrainError> {
            let recordings = corpus.of(split);
            let work = format!("decoding {}", split.name());
            observer.begin(&work, 0, recordings.len() as u64);
            let store = WaveStore::open_or_build(&recordings, rate_hz, cache, &mut |done, _| {
                observer.advance(done as u64, &Measures::default());
            })?;
            observer.end();
            Ok(store)
        };
        Ok(Self { train: open(Split::Train)?, valid: open(Split::Valid)? })
    }
}

/// Refuses a store shorter than `seconds`.
pub(crate) fn require_seconds(
    store: &WaveStore,
    split: Split,
    needed: f64,
) -> Result<(), TrainError> {
    let seconds = store.total_seconds();
    if seconds < needed {
        return Err(TrainError::TooLittleAudio { split: split.name(), seconds, needed });
    }
    Ok(())
}

/// The waves of `crops`, each padded with silence to `length` samples: `[batch, length]`.
pub(crate) fn waves(
    store: &WaveStore,
    crops: &[Crop],
    length: usize,
    device: &Device,
) -> Result<Tensor<2>, TrainError> {
    let mut samples = Vec::with_capacity(crops.len() * length);
    for crop in crops {
        samples.extend(store.read(crop.recording, crop.start, length)?);
    }
    Ok(Tensor::from_data(TensorData::new(samples, [crops.len(), length]), device))
}
