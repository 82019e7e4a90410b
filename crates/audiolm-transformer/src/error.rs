//! What can go wrong in this room, named.

use crate::pattern::CodePattern;

/// Why a configuration describes no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A size that must be at least 1.
    #[error("{field} must be at least 1")]
    ZeroSize {
        /// The name of the field.
        field: &'static str,
    },
    /// The heads cannot share the width equally.
    #[error("d_model {d_model} does not divide by n_heads {n_heads}")]
    HeadsDoNotDivide {
        /// Width of the model.
        d_model: usize,
        /// Number of attention heads.
        n_heads: usize,
    },
    /// T5's buckets need an exact half and a distance beyond it.
    #[error(
        "{n_buckets} position buckets are exact up to distance {exact}, so max_position_distance \
         must be more than that (found {max_distance}) and at least 1 bucket must be exact"
    )]
    PositionBuckets {
        /// Number of buckets.
        n_buckets: usize,
        /// Distances below this have a bucket of their own.
        exact: usize,
        /// Distance from which all share the last bucket.
        max_distance: usize,
    },
    /// Heads of queries that cannot share those of keys equally.
    #[error("n_heads {n_heads} does not divide by n_kv_heads {n_kv_heads}")]
    UnequalGroups {
        /// Heads of queries.
        n_heads: usize,
        /// Heads of keys and values.
        n_kv_heads: usize,
    },
    /// A head whose features do not come in pairs, which rotary positions turn.
    #[error("rotary positions turn pairs of features, and d_head {d_head} is odd")]
    OddHead {
        /// Width of a head.
        d_head: usize,
    },
    /// What training drops or hides, if it is no probability, or everything.
    #[error("{field} must be at least 0 and below 1, found {share}")]
    Share {
        /// The name of the field.
        field: &'static str,
        /// The value given.
        share: f64,
    },
    /// A choice that only a stack has whose positions see no later one.
    #[error(
        "{field} is a choice of decoders: where positions see one another both ways, leave it out"
    )]
    DecoderOnly {
        /// The name of the field.
        field: &'static str,
    },
    /// The fine stage has nothing to add.
    #[error("{n_coarse} coarse quantizers of {n_quantizers} leave none to the fine stage")]
    NoFineQuantizer {
        /// Quantizers of the coarse stage.
        n_coarse: usize,
        /// Quantizers of the codec.
        n_quantizers: usize,
    },
}

/// Why tokens from outside fit no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A token beyond its vocabulary.
    #[error("{token} {value} at position {position} must be below {bound}")]
    OutOfRange {
        /// What kind of token it is.
        token: &'static str,
        /// Where it stands in its row.
        position: usize,
        /// The token.
        value: u32,
        /// The first value that is too large.
        bound: usize,
    },
    /// A semantic token that lasts no frame.
    #[error("the duration at position {position} must be at least 1 frame")]
    ZeroDuration {
        /// Where it stands in its row.
        position: usize,
    },
    /// A semantic row that does not name one duration per id.
    #[error("{ids} semantic ids have {durations} durations")]
    UnequalLengths {
        /// Number of ids.
        ids: usize,
        /// Number of durations.
        durations: usize,
    },
    /// Semantic ids that do not all say when they sound.
    #[error("{ids} semantic ids have {frames} frames")]
    UntimedIds {
        /// Number of ids.
        ids: usize,
        /// Number of frames named.
        frames: usize,
    },
    /// Frames of one clip that do not agree.
    #[error("{semantic} semantic ids, {codes} frames of codes and a mask of {masked} are no clip")]
    UnequalFrames {
        /// Number of semantic ids, one per frame.
        semantic: usize,
        /// Frames of codes.
        codes: usize,
        /// Frames of the mask.
        masked: usize,
    },
    /// Codes that stop inside a frame.
    #[error("{codes} codes are no whole number of frames of {per_frame}")]
    PartialFrame {
        /// Number of codes.
        codes: usize,
        /// Codes of one frame.
        per_frame: usize,
    },
    /// A token of another quantizer than its place has.
    #[error("token {position} must be one of quantizer {expected}, found one of quantizer {found}")]
    OtherQuantizer {
        /// Which token.
        position: usize,
        /// The quantizer of its place.
        expected: usize,
        /// Its own.
        found: usize,
    },
    /// Steps that stop inside a frame.
    #[error("{n_steps} steps are no whole number of frames in the pattern {pattern:?}")]
    PartialPattern {
        /// How they are ordered.
        pattern: CodePattern,
        /// How many they are.
        n_steps: usize,
    },
    /// An empty place where a pattern has a code.
    #[error(
        "step {step} has no code of quantizer {quantizer}, the pattern {pattern:?} has one there"
    )]
    NoCode {
        /// How they are ordered.
        pattern: CodePattern,
        /// The step.
        step: usize,
        /// The quantizer.
        quantizer: usize,
    },
    /// A code where a pattern has an empty place.
    #[error(
        "step {step} has a code of quantizer {quantizer}, the pattern {pattern:?} has none there"
    )]
    StrayCode {
        /// How they are ordered.
        pattern: CodePattern,
        /// The step.
        step: usize,
        /// The quantizer.
        quantizer: usize,
    },
    /// Two parts of one clip that differ in length.
    #[error("expected at most {expected} frames, found {found}")]
    TooManyFrames {
        /// The most that fit.
        expected: usize,
        /// Frames found.
        found: usize,
    },
    /// A condition that is no whole number of vectors, or none.
    #[error("{values} numbers are no condition of one or more vectors of width {width}")]
    PartialCondition {
        /// Numbers given.
        values: usize,
        /// Numbers of each vector.
        width: usize,
    },
    /// A condition of vectors that the stage does not read.
    #[error("expected a condition of vectors of width {expected}, found {found}")]
    ConditionWidth {
        /// Width that the stage reads.
        expected: usize,
        /// Width found.
        found: usize,
    },
    /// A condition for a stage that reads none.
    #[error("a condition for a stage that reads none: its configuration names no condition")]
    UnreadCondition,
    /// A batch without a single token to learn from.
    #[error("nothing to predict: the batch holds no token that follows another")]
    NothingToPredict,
    /// A prompt from which nothing can be continued.
    #[error("an empty prompt needs a start: say that it starts where a recording starts")]
    EmptyPrompt,
}

/// Why a [`Sampling`](crate::Sampling) describes no way to draw.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SamplingError {
    /// A negative or infinite temperature.
    #[error("temperature must be finite and at least 0, found {temperature}")]
    Temperature {
        /// The value given.
        temperature: f64,
    },
    /// A choice among no tokens.
    #[error("top_k must be at least 1, found 0")]
    TopK,
    /// A mass that is no probability.
    #[error("top_p must be above 0 and at most 1, found {top_p}")]
    TopP {
        /// The value given.
        top_p: f64,
    },
    /// A likelihood beside the likeliest that is no ratio.
    #[error("min_p must be from 0 to 1, found {min_p}")]
    MinP {
        /// The value given.
        min_p: f64,
    },
    /// A look back at no token.
    #[error("window of repetition must be at least 1, found 0")]
    RepetitionWindow,
    /// A penalty that would reward.
    #[error("divisor of repetition must be finite and at least 1, found {divisor}")]
    RepetitionDivisor {
        /// The value given.
        divisor: f64,
    },
    /// A share of recent tokens that is none.
    #[error("share of repetition must be from 0 to 1, found {share}")]
    RepetitionShare {
        /// The value given.
        share: f64,
    },
    /// A negative or infinite weight of a condition.
    #[error("scale of guidance must be finite and at least 0, found {scale}")]
    GuidanceScale {
        /// The value given.
        scale: f64,
    },
    /// A share that is no probability.
    #[error("share of recall must be from 0 to 1, found {share}")]
    RecallShare {
        /// The value given.
        share: f64,
    },
    /// A negative or infinite sharpness.
    #[error("sharpness of recall must be finite and at least 0, found {sharpness}")]
    RecallSharpness {
        /// The value given.
        sharpness: f64,
    },
}

/// Why a stage cannot continue what it was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// The prompt does not fit the stage.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The sampling is none.
    #[error(transparent)]
    Sampling(#[from] SamplingError),
}
