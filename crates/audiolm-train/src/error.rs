//! What can stop a training run, named.

use std::path::PathBuf;

use audiolm_codec::{CodecError, CodecKind};
use audiolm_data::DataError;
use audiolm_semantic::SemanticError;
use audiolm_transformer::{ConfigError, TokenError};

use crate::Trouble;

/// Why training did not begin or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The recordings cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The codec cannot be built, read or written.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The semantic tokenizer cannot be built, read or written.
    #[error(transparent)]
    Semantic(#[from] SemanticError),
    /// A stage cannot be built.
    #[error(transparent)]
    Stage(#[from] ConfigError),
    /// Something that stages are to be told has no vectors.
    #[error(transparent)]
    Text(#[from] audiolm_text::TextError),
    /// Nothing is known of the recordings that stages could be told.
    #[error("condition.of is {of}, but no training recording has one in the manifest")]
    NothingTold {
        /// The column.
        of: &'static str,
    },
    /// Nothing is known of what recordings say.
    #[error(
        "the {split} split has no recording that says a transcript of the manifest, of words that a \
         lexicon knows where one is given, with frames enough for its letters or phones"
    )]
    NoTranscripts {
        /// The split.
        split: &'static str,
    },
    /// A conditioner of one's own that was not brought along.
    #[error("condition.conditioner is provided: train from Rust, and give one to train_with")]
    NoConditioner,
    /// Tokens do not fit their stage.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] audiolm_nn::WeightsError),
    /// Token sequences cannot be measured.
    #[error(transparent)]
    Eval(#[from] audiolm_eval::EvalError),
    /// The stop signal came while nothing could be saved; the work begins anew next time.
    #[error("stopped before there was anything to save; the same command starts over")]
    Interrupted,
    /// A file of the run cannot be replaced.
    #[error(transparent)]
    Write(#[from] audiolm_audio::WriteError),
    /// A sound of a report cannot be written.
    #[error(transparent)]
    Sound(#[from] audiolm_audio::AudioError),
    /// A picture of a report cannot be drawn or written.
    #[error(transparent)]
    Picture(#[from] audiolm_plot::PlotError),
    /// A file of the run cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the run is damaged or not what it should be.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings do not describe a run.
    #[error("{path}: {reason}")]
    Settings {
        /// The settings file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting is out of its range, or does not fit another.
    #[error("{setting}: expected {expected}, found {found}")]
    Setting {
        /// The setting, by its place in the plan.
        setting: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The run was started with other settings.
    #[error(
        "{path}: this run was started with other settings ({difference}); use another run folder or the same settings"
    )]
    OtherSettings {
        /// The settings of the run.
        path: PathBuf,
        /// The first setting that differs.
        difference: String,
    },
    /// The run has a tokenizer already, and it is not the bundle's.
    #[error("{found} is not the tokenizer of {wanted}: take it in a run of its own")]
    OtherTokenizer {
        /// The run's.
        found: PathBuf,
        /// The bundle's.
        wanted: PathBuf,
    },
    /// There is nothing to train on.
    #[error("the {split} split holds {seconds:.1} s of audio; {needed:.1} s are needed")]
    TooLittleAudio {
        /// The split.
        split: &'static str,
        /// What is there.
        seconds: f64,
        /// The least that works.
        needed: f64,
    },
    /// A codec that is to leave noise out, and no noise to learn it from.
    #[error("codec.model.film asks for noise to train with, but data.noise_sets names none")]
    NoNoise,
    /// A stage before this one has not been trained in this run.
    #[error("{path} is not there: train {stage} first")]
    StageMissing {
        /// The file or folder the stage would have written.
        path: PathBuf,
        /// The stage.
        stage: &'static str,
    },
    /// Every masked frame is told to be the same.
    #[error(
        "{stage}: collapsed by step {step}: {of} of held-out frames are spread over {clusters:.1} of \
         {n_clusters} clusters; lower the learning rate, or begin with a longer warm-up"
    )]
    Collapsed {
        /// The stage.
        stage: &'static str,
        /// The step after which it was measured.
        step: u64,
        /// What has collapsed: guesses or codes.
        of: &'static str,
        /// The exponential of the entropy of the mean guess, or of the codes.
        clusters: f64,
        /// How many there are.
        n_clusters: usize,
    },
    /// Weights are no longer numbers, and were not saved.
    #[error("{path}: not written: its weights are no longer numbers")]
    NoNumbers {
        /// The file that was not written.
        path: PathBuf,
    },
    /// Going back to the last checkpoint has not helped.
    #[error(
        "{stage}: {trouble}, at step {step} and after {rollbacks} returns to a checkpoint; lower the learning rate"
    )]
    GaveUp {
        /// The stage.
        stage: &'static str,
        /// The step.
        step: u64,
        /// How often it was taken up again.
        rollbacks: u32,
        /// What went wrong in the end.
        trouble: Trouble,
    },
    /// The run has another codec than the one that it is to take.
    #[error(
        "{path}: this run has another codec than {source_folder}; use another run folder or the same codec"
    )]
    OtherCodec {
        /// The run's codec.
        path: PathBuf,
        /// The codec to take.
        source_folder: PathBuf,
    },
    /// A stage that is to learn from codes that the codec does not make.
    #[error("{quantity}: the codec has {codec}, but {setting} is {found}")]
    Codes {
        /// What they disagree about.
        quantity: &'static str,
        /// What the codec has.
        codec: usize,
        /// The setting.
        setting: &'static str,
        /// What the stage expects.
        found: usize,
    },
    /// A codec whose frames are not those of the semantic tokens.
    #[error(
        "{codec} makes {found} frames per second, the semantic tokenizer {expected}: the coarse stage needs a codec of the same rate"
    )]
    FrameRates {
        /// The codec.
        codec: CodecKind,
        /// Its frames per second.
        found: f64,
        /// Those of the tokenizer.
        expected: f64,
    },
    /// The loss is no longer a number.
    #[error(
        "{stage}: the loss is {loss} at step {step}; the checkpoint of step {saved} is untouched: lower schedule.peak_learning_rate of the stage and go on from it"
    )]
    Diverged {
        /// The stage.
        stage: &'static str,
        /// The step.
        step: u64,
        /// The loss.
        loss: f64,
        /// The step of the last checkpoint.
        saved: u64,
    },
}

impl TrainError {
    /// An [`TrainError::Io`] for `path`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// A [`TrainError::Malformed`] for `path`.
    pub(crate) fn malformed(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::Malformed { path: path.into(), reason: reason.to_string() }
    }
}
