//! How likely the models find what they made.

use std::fmt;

use audiolm_transformer::LogLikelihood;
use serde::Serialize;

/// The mean log-likelihood of what was drawn, in nats per token, under the models themselves: whatever
/// was asked of temperature, truncation, recall and repetition.
///
/// It tells what the models expect from what surprises them. It is no measure of quality: what is
/// expected most is often dull, such as silence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Likelihood {
    /// Of what is said: of the semantic ids, not of how long they last.
    pub semantic: f64,
    /// Of how it sounds roughly: of the coarse codes, given what is said.
    /// 0 where the parallel stage drew them, which counts none.
    pub coarse: f64,
}

impl Likelihood {
    pub(crate) fn of(semantic: LogLikelihood, coarse: LogLikelihood) -> Self {
        Self { semantic: semantic.per_token(), coarse: coarse.per_token() }
    }

    /// What the best is chosen by: the sum of both, so that a token counts as much as the other tokens
    /// of its kind, and each kind as much as the other.
    pub fn score(&self) -> f64 {
        self.semantic + self.coarse
    }
}

impl fmt::Display for Likelihood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { semantic, coarse } = self;
        write!(f, "{semantic:.3} nats per semantic id, {coarse:.3} per coarse code")
    }
}
