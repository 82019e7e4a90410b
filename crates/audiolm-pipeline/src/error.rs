//! What can go wrong in this room, named.

use std::path::PathBuf;

use audiolm_audio::{AudioError, WriteError};
use audiolm_codec::{CodeFileError, CodecError, CodecId};
use audiolm_nn::WeightsError;
use audiolm_semantic::SemanticError;
use audiolm_text::{ConditionerConfig, TextError};
use audiolm_transformer::{ConfigError, GenerateError, SamplingError, TokenError};

use crate::Part;

/// Why a bundle could not be opened or assembled.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Something that has to be there is not.
    #[error("{path}: not found, but it has to be there")]
    Missing {
        /// The file or folder.
        path: PathBuf,
    },
    /// The system does not let us read it.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not the JSON that it should be.
    #[error("{path}: not what this file should hold: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: serde_json::Error,
    },
    /// A bundle of another format.
    #[error("{path}: bundle version {found}, this build reads version {expected}")]
    Version {
        /// The bundle's description.
        path: PathBuf,
        /// The version this build writes and reads.
        expected: u64,
        /// The version in the file.
        found: u64,
    },
    /// A part without hashes.
    #[error("{path}: expected the hashes of all parts, found none of {part}")]
    Unlisted {
        /// The bundle's description.
        path: PathBuf,
        /// The part.
        part: Part,
    },
    /// A hash that is none.
    #[error("{path}: expected the SHA-256 of {part} in 64 hexadecimal digits, found {found:?}")]
    Hash {
        /// The bundle's description.
        path: PathBuf,
        /// The part.
        part: Part,
        /// What stands there.
        found: String,
    },
    /// A window in which nothing can slide.
    #[error("{path}: expected a window of at least 2 frames for {part}, found {found}")]
    Window {
        /// The bundle's description.
        path: PathBuf,
        /// The stage.
        part: Part,
        /// Its window, in frames.
        found: usize,
    },
    /// Not the bytes that the bundle was made with.
    #[error(
        "{path}: not the file this bundle was made with: it is damaged or belongs to another \
         bundle (expected SHA-256 {expected}, found {found})"
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// The hash in the bundle's description.
        expected: String,
        /// The hash of the file.
        found: String,
    },
    /// The bytes of another part of the same bundle.
    #[error(
        "{path}: expected the file of {part}, found that of {other}: are the two folders swapped?"
    )]
    Swapped {
        /// The file.
        path: PathBuf,
        /// The part it should be of.
        part: Part,
        /// The part it is of.
        other: Part,
    },
    /// Two configurations that do not fit one another.
    #[error("{quantity}: {one} has {expected}, but {other} has {found}")]
    Mismatch {
        /// What they disagree about.
        quantity: &'static str,
        /// Where it is stated first.
        one: &'static str,
        /// What is stated there.
        expected: usize,
        /// Where it is stated otherwise.
        other: &'static str,
        /// What is stated there.
        found: usize,
    },
    /// A stage that learnt from tokens of another model.
    #[error(
        "{path}: {stage} learnt from another {of} than the one beside it \
         (expected fingerprint {expected}, found {found})"
    )]
    Lineage {
        /// The file that names what the stage learnt from.
        path: PathBuf,
        /// The stage.
        stage: Part,
        /// The model that made its tokens.
        of: Part,
        /// The fingerprint of the model beside it.
        expected: String,
        /// The fingerprint of the model it learnt from, or that none is named.
        found: String,
    },
    /// A codec that makes other codes than those the stages of a bundle know.
    #[error("{path}: this codec makes other codes than that of the bundle")]
    OtherCodes {
        /// The codec's folder.
        path: PathBuf,
    },
    /// The name is taken.
    #[error("{path}: exists already; remove it or choose another name")]
    Exists {
        /// The folder asked for.
        path: PathBuf,
    },
    /// The bundle could not be written.
    #[error("{path}: cannot be written: {source}")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The recording to try the bundle with could not be put in.
    #[error("the prompt: {source}")]
    Prompt {
        /// What is wrong with it, or what the system said.
        source: AudioError,
    },
    /// A configuration that cannot be read.
    #[error("{path}: not a readable configuration of {part}: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// The part.
        part: Part,
        /// What the reader said.
        reason: String,
    },
    /// A configuration that describes no stage.
    #[error("{part}: {source}")]
    Stage {
        /// The stage.
        part: Part,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// Stages that have learnt to be told through different conditioners.
    #[error("{} has learnt with another conditioner than {}", path.display(), other.display())]
    Conditioners {
        /// The file of one stage.
        other: PathBuf,
        /// The file of another.
        path: PathBuf,
    },
    /// The codec cannot be built.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The semantic tokenizer cannot be built.
    #[error(transparent)]
    Semantic(#[from] SemanticError),
    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why there is no sound.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The bundle cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The recording cannot be resampled.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// Too little to hear anything in.
    #[error("the recording lasts {seconds:.3} s, at least {} s are needed", crate::MIN_SECONDS)]
    TooShort {
        /// How long it is.
        seconds: f64,
    },
    /// Too little of a recording is to be continued.
    #[error("the seconds of a prompt must be at least {}, found {found}", crate::MIN_SECONDS)]
    PromptSeconds {
        /// The value given.
        found: f64,
    },
    /// A sample that cannot be meant.
    #[error(
        "sample {position} of the recording is {value}, expected numbers of at most {}",
        audiolm_audio::MAX_AMPLITUDE
    )]
    ImplausibleSample {
        /// Index of the first such sample.
        position: usize,
        /// That sample.
        value: f32,
    },
    /// A length that cannot be meant.
    #[error("seconds must be above 0 and at most {}, found {found}", crate::MAX_SECONDS)]
    Seconds {
        /// The value given.
        found: f64,
    },
    /// A tempo that cannot be meant.
    #[error("tempo must be from {} to {}, found {found}", crate::MIN_TEMPO, crate::MAX_TEMPO)]
    Tempo {
        /// The value given.
        found: f64,
    },
    /// A gap that is not within the recording.
    #[error(
        "the gap must lie within the recording, from 0 to {seconds:.3} s, found from {from} to {to}"
    )]
    Gap {
        /// Where it should begin, in seconds.
        from: f64,
        /// Where it should end.
        to: f64,
        /// How long the recording is.
        seconds: f64,
    },
    /// A gap of no length, and no length to give it.
    #[error("the gap at {from} s has no length: say how many seconds to fill it with")]
    EmptyGap {
        /// Where it is, in seconds.
        from: f64,
    },
    /// A gap that leaves too little to hear anything in.
    #[error("{seconds:.3} s are left beside the gap, at least {} s are needed", crate::MIN_SECONDS)]
    NothingLeft {
        /// How long both sides are together.
        seconds: f64,
    },
    /// Nothing to choose among, or far too much.
    #[error("candidates must be from 1 to {}, found {found}", crate::MAX_CANDIDATES)]
    Candidates {
        /// The value given.
        found: usize,
    },
    /// Another recording under the same name: it is read twice.
    #[error("the recording changed while it was read: expected {expected} samples, found {found}")]
    RecordingChanged {
        /// How long it was at first.
        expected: u64,
        /// How many samples there were, or where it went on.
        found: u64,
    },
    /// Codes that cannot be read.
    #[error(transparent)]
    CodeFile(#[from] CodeFileError),
    /// Codes that mean something else to the codec at hand.
    #[error("the codes were made by another codec (expected {expected}, found {found})")]
    OtherCodec {
        /// The codec at hand.
        expected: CodecId,
        /// The codec that made the codes.
        found: CodecId,
    },
    /// A number of quantizers that the codec does not have.
    #[error("quantizers must be between 1 and {available}, found {found}")]
    Quantizers {
        /// How many there are.
        available: usize,
        /// The value given.
        found: usize,
    },
    /// Models that cannot be told anything.
    #[error("the models of this bundle have not learnt to be told anything (docs/conditioning.md)")]
    Deaf,
    /// A conditioner that the bundle does not hold, and that was not given.
    #[error(
        "the models of this bundle are told through a conditioner that is not in it: {}",
        named(config)
    )]
    NoConditioner {
        /// Which, as far as the bundle says.
        config: Option<ConditionerConfig>,
    },
    /// A conditioner other than the one that the models have learnt with.
    #[error(
        "the models have learnt with vectors of {expected} numbers, this conditioner makes {found}"
    )]
    ConditionWidth {
        /// What the models read.
        expected: usize,
        /// What the conditioner makes.
        found: usize,
    },
    /// The models end before they begin.
    #[error("the models say nothing; another seed may do")]
    NothingSaid,
    /// The conditioner can make nothing of what the models are to be told.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A stage that the bundle does not have.
    #[error("this bundle has no parallel stage; it decodes autoregressively")]
    NoParallelStage,
    /// Something that the parallel stage cannot draw.
    #[error("the parallel stage cannot draw {what}; the autoregressive ones can")]
    NotInParallel {
        /// What.
        what: &'static str,
    },
    /// A stage refused what it was given.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

fn named(config: &Option<ConditionerConfig>) -> String {
    match config {
        Some(ConditionerConfig::T5 { name }) => format!("the T5 {name}"),
        _ => "one of another program".to_owned(),
    }
}

impl From<TokenError> for PipelineError {
    fn from(error: TokenError) -> Self {
        Self::Generate(error.into())
    }
}

impl From<SamplingError> for PipelineError {
    fn from(error: SamplingError) -> Self {
        Self::Generate(error.into())
    }
}
