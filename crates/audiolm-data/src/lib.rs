//! Folders of audio as training data. Knows no model.
//!
//! A [`Corpus`] lists recordings and their splits; a [`WaveStore`] holds their waves, a
//! [`TokenStore`] what a tokenizer made of them; a [`CropSampler`] says which parts a step trains
//! on, as a pure function of the seed and the step.
//!
//! ```
//! use audiolm_audio::Clip;
//! use audiolm_data::{Corpus, CorpusOptions, CropSampler, Split, WaveStore};
//!
//! let folder = tempfile::tempdir()?;
//! for name in ["a.wav", "b.wav", "c.wav"] {
//!     let samples = (0..24_000).map(|n| (n as f32 * 0.05).sin()).collect();
//!     Clip { samples, sample_rate_hz: 24_000 }.write_wav(folder.path().join(name))?;
//! }
//!
//! let corpus = Corpus::open(folder.path(), &CorpusOptions::default())?;
//! let recordings = corpus.of(Split::Train);
//! let cache = folder.path().join("cache");
//! let waves = WaveStore::open_or_build(&recordings, 16_000, &cache, &mut |_, _| {})?;
//!
//! let sampler = CropSampler::new(&waves.lengths(), 3_200).with_hop(320);
//! for crop in sampler.batch(1, 0, 8) {
//!     let wave = waves.read(crop.recording, crop.start, 3_200)?;
//!     assert_eq!(wave.len(), 3_200);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod corpus;
mod crop;
mod error;
mod folder;
mod hash;
mod listing;
mod manifest;
mod recording;
mod split;
mod token_file;
mod token_store;
mod wave_cache;
mod wave_store;

pub use corpus::{Corpus, CorpusOptions, OnUnreadable};
pub use crop::{Crop, CropSampler};
pub use error::{DataError, RowProblem, TokensProblem};
pub use recording::{Recording, Split};
pub use token_store::{TokenStore, TokenStoreBuilder};
pub use wave_store::WaveStore;
