//! How much of a codebook is in use.

use crate::EvalError;

/// How often each code of one codebook occurs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CodebookUsage {
    /// Occurrences of each code.
    pub counts: Vec<u64>,
}

impl CodebookUsage {
    /// Counts ids of one codebook; those of several quantizers are counted apart, by the caller.
    pub fn count(ids: &[u32], codebook_size: usize) -> Result<Self, EvalError> {
        if ids.is_empty() {
            return Err(EvalError::NoTokens);
        }
        let mut counts = vec![0; codebook_size];
        for (position, &id) in ids.iter().enumerate() {
            let count = counts.get_mut(id as usize).ok_or(EvalError::UnknownId {
                sequence_idx: 0,
                position,
                id,
                vocabulary_size: codebook_size,
            })?;
            *count += 1;
        }
        Ok(Self { counts })
    }

    /// The share of codes that occur at all, from 0 to 1.
    pub fn used_fraction(&self) -> f64 {
        self.counts.iter().filter(|&&count| count > 0).count() as f64 / self.counts.len() as f64
    }

    /// The entropy of the codes in nats: what an ideal coder without memory would spend on each.
    pub fn entropy_nats(&self) -> f64 {
        let total = self.counts.iter().sum::<u64>() as f64;
        let probabilities = self.counts.iter().map(|&count| count as f64 / total);
        probabilities.filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum()
    }

    /// The number of equally frequent codes that would have this entropy: from 1 to the size.
    pub fn perplexity(&self) -> f64 {
        self.entropy_nats().exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ids: &[u32], codebook_size: usize, used_fraction: f64, perplexity: f64) {
        let usage = CodebookUsage::count(ids, codebook_size).unwrap();
        assert_eq!(usage.used_fraction(), used_fraction);
        assert!((usage.perplexity() - perplexity).abs() < 1e-9, "{}", usage.perplexity());
    }

    #[test]
    fn one_code_for_all_has_perplexity_1() {
        check(&[3, 3, 3], 8, 0.125, 1.0);
    }
    #[test]
    fn equal_codes_have_the_perplexity_of_their_number() {
        check(&[0, 1, 2, 3, 3, 2, 1, 0], 4, 1.0, 4.0);
    }
    #[test]
    fn rare_codes_count_little() {
        check(&[0, 0, 0, 1], 2, 1.0, (4f64 / 3.0).powf(0.75) * 4f64.powf(0.25));
    }
    #[test]
    fn names_an_id_outside_the_codebook() {
        let err = CodebookUsage::count(&[0, 8], 8).unwrap_err();
        let expected =
            EvalError::UnknownId { sequence_idx: 0, position: 1, id: 8, vocabulary_size: 8 };
        assert_eq!(err, expected);
    }
    #[test]
    fn names_an_empty_list() {
        assert_eq!(CodebookUsage::count(&[], 8), Err(EvalError::NoTokens));
    }
}
