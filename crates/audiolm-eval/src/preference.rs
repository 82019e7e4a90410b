//! Whether a language model prefers what is right.

use crate::EvalError;

/// What a model says of the two members of a pair: the higher, the likelier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredPair {
    /// Of the one that should be preferred: a word, a sentence of good grammar.
    pub right: f64,
    /// Of the other.
    pub wrong: f64,
}

/// The share of pairs whose right member scores higher; a tie counts one half. Chance is 0.5.
///
/// This is how sWUGGY and sBLIMP are scored (ZeroSpeech 2021: Nguyen et al. 2020,
/// arXiv 2011.11588), less the averaging over the voices that read a pair.
pub fn preference(pairs: &[ScoredPair]) -> Result<f64, EvalError> {
    if pairs.is_empty() {
        return Err(EvalError::NoPairs);
    }
    let won = |it: &ScoredPair| match it.right.total_cmp(&it.wrong) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    Ok(pairs.iter().map(won).sum::<f64>() / pairs.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_counts_one_half() {
        let pair = |right, wrong| ScoredPair { right, wrong };
        let pairs = [pair(-1.0, -2.0), pair(-3.0, -3.0), pair(-9.0, -4.0), pair(0.0, -0.5)];
        assert_eq!(preference(&pairs), Ok(0.625));
    }

    #[test]
    fn no_pairs_prefer_nothing() {
        assert_eq!(preference(&[]), Err(EvalError::NoPairs));
    }
}
