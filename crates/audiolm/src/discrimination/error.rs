//! Why representations cannot be compared.

use audiolm_audio::AudioError;
use audiolm_codec::CodecError;
use audiolm_data::DataError;
use audiolm_eval::{EvalError, ItemFileError};
use audiolm_pipeline::PipelineError;
use audiolm_semantic::SemanticError;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum DiscriminationError {
    /// A recording cannot be read or resampled.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The recordings cannot be listed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The labels cannot be read.
    #[error(transparent)]
    Items(#[from] ItemFileError),
    /// The bundle cannot be opened.
    #[error(transparent)]
    Bundle(#[from] PipelineError),
    /// The semantic tokenizer cannot be read.
    #[error(transparent)]
    Semantic(#[from] SemanticError),
    /// The codec cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// No two examples can be compared.
    #[error(transparent)]
    Abx(#[from] EvalError),
    /// A recording that nobody has labelled.
    #[error(
        "{recording}: expected a transcript in the manifest, found none; name its labels with an .item file"
    )]
    Unlabelled {
        /// The recording.
        recording: String,
    },
    /// A label of a recording that is not there.
    #[error("the labels name {file}, and no recording has that name")]
    NoRecording {
        /// The recording, without folder and ending.
        file: String,
    },
    /// Too little sound for a frame.
    #[error(
        "{recording}: expected at least {needed} samples at {sample_rate_hz} Hz, found {found}"
    )]
    TooShort {
        /// The recording.
        recording: String,
        /// The least there may be.
        needed: usize,
        /// What there is.
        found: usize,
        /// Samples per second.
        sample_rate_hz: u32,
    },
}
