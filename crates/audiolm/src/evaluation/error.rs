//! Why a bundle cannot be measured.

use std::path::PathBuf;

use audiolm_audio::AudioError;
use audiolm_eval::EvalError;
use audiolm_pipeline::PipelineError;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// Nothing to measure on.
    #[error("expected at least one passage of a speaker to measure on, found none")]
    NothingHeldOut,
    /// A recording cannot be read or resampled.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The models refuse a recording, or what was asked of them.
    #[error("speaker {speaker}: {source}")]
    Refused {
        /// Who is heard.
        speaker: String,
        /// What the models said.
        source: Box<PipelineError>,
    },
    /// A measure has no value for a recording.
    #[error("speaker {speaker}: {source}")]
    Unmeasurable {
        /// Who is heard.
        speaker: String,
        /// What the measure said.
        source: EvalError,
    },
    /// Continuations cannot be compared with their prompts.
    #[error("continuations and their prompts: {0}")]
    Incomparable(EvalError),
    /// A file of a training run cannot be read.
    #[error("{path}: cannot be read: {source}; it is there once the stage has finished")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of a training run is not what it should be.
    #[error("{path}: expected nats_per_token, bigram_nats_per_token and n_tokens: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: serde_json::Error,
    },
}

impl EvaluationError {
    /// Adds the speaker to what the models said.
    pub(super) fn refused(speaker: &str) -> impl FnOnce(PipelineError) -> Self {
        move |source| Self::Refused { speaker: speaker.to_owned(), source: Box::new(source) }
    }

    /// Adds the speaker to what a measure said.
    pub(super) fn unmeasurable(speaker: &str) -> impl FnOnce(EvalError) -> Self {
        move |source| Self::Unmeasurable { speaker: speaker.to_owned(), source }
    }
}
