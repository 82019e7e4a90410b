//! How likely a stage found what it drew.

use std::ops::AddAssign;

use serde::Serialize;

/// The log-likelihood of drawn tokens under the model itself: at temperature 1, among all tokens,
/// with its condition but without guidance, recall or control of repetition. What the stage's
/// `log_likelihoods` gives for the same tokens, summed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct LogLikelihood {
    /// Of all tokens, in nats.
    pub nats: f64,
    /// How many there are.
    pub tokens: usize,
}

impl LogLikelihood {
    /// The mean in nats; 0 of no tokens.
    pub fn per_token(&self) -> f64 {
        self.nats / self.tokens.max(1) as f64
    }

    /// Counts one more token, drawn where the model gave these logits.
    pub(crate) fn count(&mut self, logits: &[f32], token: usize) {
        let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f64 = logits.iter().map(|it| f64::from(it - peak).exp()).sum();
        self.nats += f64::from(logits[token] - peak) - total.ln();
        self.tokens += 1;
    }
}

impl AddAssign for LogLikelihood {
    fn add_assign(&mut self, other: Self) {
        self.nats += other.nats;
        self.tokens += other.tokens;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelihoods_are_those_of_the_softmax() {
        let mut found = LogLikelihood::default();
        assert_eq!(found.per_token(), 0.0);
        let logits = [0.5f32, 0.25, 0.25].map(|it| it.ln() + 100.0);
        found.count(&logits, 0);
        found.count(&logits, 2);
        assert!((found.nats - (0.5f64 * 0.25).ln()).abs() < 1e-5);
        let once = found;
        found += once;
        assert_eq!((found.tokens, found.per_token()), (4, once.per_token()));
    }
}
