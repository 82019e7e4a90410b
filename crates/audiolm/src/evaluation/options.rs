//! What can be asked of an evaluation, and how far it has come.

use audiolm_pipeline::ContinueOptions;

/// How to measure a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// Numbers of leading quantizers to decode from. Those that the codec does not have are passed
    /// over; all of its quantizers are always measured.
    pub quantizers: Vec<usize>,
    /// How to continue the prompts.
    pub continuation: ContinueOptions,
}

/// How much to read of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOutOptions {
    /// At most so many speakers, the first of the corpus.
    pub n_speakers: usize,
    /// At most so many passages of each, for the codec.
    pub n_passages: usize,
    /// The least length of a prompt; where no recording of a speaker is as long, they are joined.
    pub prompt_seconds: f64,
}

/// How far an evaluation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is measured now.
    pub measured: Measured,
    /// Passages or prompts that are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

/// What is measured, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// The codec, passage by passage.
    Codec,
    /// Continuations, prompt by prompt.
    Continuations,
}

impl Measured {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codec => "codec",
            Self::Continuations => "continuations",
        }
    }
}

impl Default for EvaluateOptions {
    /// 1, 3, 6 and all quantizers, and 4 s after prompts of 3 s.
    fn default() -> Self {
        Self { quantizers: vec![1, 3, 6], continuation: ContinueOptions::default() }
    }
}

impl Default for HeldOutOptions {
    /// Twelve speakers, two passages and 3 s of prompt each.
    fn default() -> Self {
        Self { n_speakers: 12, n_passages: 2, prompt_seconds: 3.0 }
    }
}
