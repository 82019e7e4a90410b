//! Bundles of trained stages: prompt audio to continued audio.
//!
//! A [`Bundle`] is one folder with a codec, a semantic tokenizer and the language models, which
//! [`assemble`] makes of what a training run exports, and which is checked to the last byte when it
//! is opened. [`AudioLm`] is a bundle on a device: it continues recordings, makes audio from
//! nothing, says the same in another voice, and shows what its tokens are. The same seed gives the
//! same samples, of any length, within bounded memory.
//!
//! The room trains nothing and names no backend: see `audiolm-train` and `audiolm`.
//!
//! ```
//! use audiolm_audio::Clip;
//! use audiolm_pipeline::{AudioLm, ContinueOptions};
//! use burn::prelude::*;
//!
//! # let parent = tempfile::tempdir()?;
//! # let folder = parent.path().join("bundle");
//! # audiolm_pipeline::testing::tiny_bundle(&folder, &Device::default())?;
//! let lm = AudioLm::load(&folder, &Device::default())?;
//!
//! let tone = (0..24_000).map(|n| 0.1 * (n as f32 * 0.05).sin()).collect();
//! let prompt = Clip { samples: tone, sample_rate_hz: 24_000 };
//! let options = ContinueOptions { seconds: 0.5, seed: 7, ..Default::default() };
//! let continuation = lm.continue_from(&prompt, &options)?;
//!
//! assert_eq!(continuation.clip.sample_rate_hz, 16_000);
//! assert_eq!(continuation.clip.seconds(), 1.5);
//! assert_eq!(continuation.prompt_samples, 16_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assemble;
mod audio_lm;
mod bridge;
mod bundle;
mod candidates;
mod coder;
mod colour;
mod configs;
mod decode_stream;
mod decoded_blocks;
mod draw;
mod encode_stream;
mod encoded_blocks;
mod error;
mod files;
mod finishing;
mod gap;
mod generated_blocks;
mod heard;
mod heard_blocks;
mod json;
mod likelihood;
mod lineage;
mod listening;
mod manifest;
mod options;
mod part;
mod pieces;
mod progress;
mod redecoded;
mod run_windows;
mod score;
mod seam;
mod tempo;
#[doc(hidden)]
pub mod testing;
mod tokens;
mod window;

pub use audio_lm::{AudioLm, BestTake, Candidate, Continuation, Generation, Infill, Take};
pub use candidates::Candidates;
pub use decoded_blocks::DecodedBlocks;
pub use encoded_blocks::EncodedBlocks;
pub use gap::Gap;
pub use generated_blocks::GeneratedBlocks;
pub use likelihood::Likelihood;
pub use options::{
    AcousticDecoder, ContinueOptions, GenerateOptions, InfillOptions, MAX_CANDIDATES,
    ResynthesizeOptions, Semantics, StageSampling,
};
pub use progress::Progress;
pub use redecoded::{RedecodeOptions, redecoded};
pub use score::{CodeScore, Score, Scored};
pub use tempo::{MAX_TEMPO, MIN_TEMPO};
pub use tokens::Tokens;

pub use assemble::{AssembleOptions, assemble};
pub use bundle::Bundle;
pub use coder::Coder;
pub use manifest::{Manifest, PartHashes, WindowFrames};
pub use part::{PROMPT_FILE, Part};

pub use error::{BundleError, PipelineError};
pub use heard::{MAX_SECONDS, MIN_SECONDS};
