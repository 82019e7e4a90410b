//! What can be wrong with the material a measure is given.

/// Which recording of a pair an error speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The original.
    Reference,
    /// What is left of it after coding, or what was generated.
    Degraded,
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Side::Reference => "reference",
            Side::Degraded => "degraded",
        })
    }
}

/// Why a measure has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// The two recordings of a pair differ in length.
    #[error("reference has {reference} samples, degraded has {degraded}")]
    LengthMismatch {
        /// Samples of the reference.
        reference: usize,
        /// Samples of the degraded recording.
        degraded: usize,
    },
    /// A recording without samples.
    #[error("a recording holds no samples")]
    NoSamples,
    /// A sampling rate of zero.
    #[error("the sampling rate is 0 Hz")]
    ZeroSampleRate,
    /// A sample that is no number, or infinite.
    #[error("sample {sample_idx} of the {side} recording is {value}, expected a finite number")]
    NotFinite {
        /// The recording.
        side: Side,
        /// Position of the first such sample.
        sample_idx: usize,
        /// Its value.
        value: f32,
    },
    /// A recording that is all zeros, so that no ratio to it exists.
    #[error("the {side} recording is silent")]
    Silent {
        /// The recording.
        side: Side,
    },
    /// Too little sound for one segment of STOI.
    #[error(
        "STOI needs {needed} frames of 12.8 ms that are not silent, the reference has {found}; \
         give at least half a second of speech"
    )]
    TooShort {
        /// Frames that sound.
        found: usize,
        /// Frames of one segment.
        needed: usize,
    },
    /// Prompts and continuations that do not pair up.
    #[error("{prompts} prompts for {continuations} continuations, expected one for each")]
    Unpaired {
        /// How many prompts there are.
        prompts: usize,
        /// How many continuations there are.
        continuations: usize,
    },
    /// An id that its vocabulary or codebook does not have.
    #[error(
        "id {id} at position {position} of sequence {sequence_idx}, expected one below {vocabulary_size}"
    )]
    UnknownId {
        /// The sequence, counted from 0.
        sequence_idx: usize,
        /// The position within it.
        position: usize,
        /// The id.
        id: u32,
        /// How many ids there are.
        vocabulary_size: usize,
    },
    /// No vocabulary, or one without ids.
    #[error("vocabulary sizes are {found:?}, expected at least one and each at least 1")]
    EmptyVocabulary {
        /// The sizes as given.
        found: Vec<usize>,
    },
    /// Too few sequences to hold one out.
    #[error(
        "{found} training sequences, expected at least {needed}: smoothing is chosen on one held out"
    )]
    TooFewSequences {
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The numbers of an example are not those of whole frames.
    #[error(
        "example {item_idx} has {found} numbers, expected some, and a multiple of the width {width}"
    )]
    RaggedFrames {
        /// The example, counted from 0.
        item_idx: usize,
        /// How many numbers it has.
        found: usize,
        /// Numbers in a frame.
        width: usize,
    },
    /// A feature that is no number, or infinite.
    #[error("number {position} of example {item_idx} is {value}, expected a finite one")]
    FeatureNotFinite {
        /// The example, counted from 0.
        item_idx: usize,
        /// Its place.
        position: usize,
        /// Its value.
        value: f32,
    },
    /// No two examples that ABX could compare.
    #[error(
        "{n_items} examples hold no triplet: ABX needs two of one category and one of another in one \
         context"
    )]
    NoTriplets {
        /// How many examples there are.
        n_items: usize,
    },
    /// No place of a wave that could be compared with others.
    #[error("no place among {n_samples} samples has 64 ms of sound before and after it")]
    NoPlaces {
        /// How long the wave is.
        n_samples: usize,
    },
    /// Nothing to prefer.
    #[error("expected at least one pair to compare, found none")]
    NoPairs,
    /// Sequences without a single token.
    #[error("the sequences hold no tokens")]
    NoTokens,
}
