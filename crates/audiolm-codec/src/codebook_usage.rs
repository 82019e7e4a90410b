//! How much of a codebook is in use.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::CodecError;

/// How often each code of one codebook occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodebookUsage {
    /// Occurrences of each code.
    pub counts: Vec<u64>,
}

impl CodebookUsage {
    /// Counts codes of one codebook.
    ///
    /// # Errors
    /// Where there is no code, or one that is not in the codebook.
    pub fn count(codes: &[u32], codebook_size: usize) -> Result<Self, CodecError> {
        if codes.is_empty() {
            return Err(CodecError::NoCodes);
        }
        let mut counts = vec![0; codebook_size];
        for &found in codes {
            let count = counts.get_mut(found as usize);
            *count.ok_or(CodecError::UnknownCode { codebook_size, found })? += 1;
        }
        Ok(Self { counts })
    }

    /// Counts the codes of each quantizer.
    ///
    /// # Shapes
    /// - codes: `[batch, quantizer, time]`
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn of_quantizers(
        codes: Tensor<3, Int>,
        codebook_size: usize,
    ) -> Result<Vec<Self>, CodecError> {
        let count = |codes: Tensor<3, Int>| {
            let codes: Vec<u32> = codes.into_data().convert::<i64>().iter::<u32>().collect();
            Self::count(&codes, codebook_size)
        };
        codes.split(1, 1).into_iter().map(count).collect()
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
    fn quantizers_are_counted_apart() {
        let codes = Tensor::<3, Int>::from_ints(
            [[[0, 0, 0], [0, 1, 2]], [[0, 0, 0], [3, 2, 1]]],
            &Device::default(),
        );
        let usages = CodebookUsage::of_quantizers(codes, 4).unwrap();
        let counts: Vec<_> = usages.into_iter().map(|it| it.counts).collect();
        assert_eq!(counts, [[6, 0, 0, 0], [1, 2, 2, 1]]);
    }
    #[test]
    fn names_a_code_outside_the_codebook() {
        let error = CodebookUsage::count(&[0, 8], 8).unwrap_err().to_string();
        assert!(error.contains("below 8") && error.contains("found 8"), "{error}");
    }
    #[test]
    fn names_an_empty_list() {
        assert!(matches!(CodebookUsage::count(&[], 8), Err(CodecError::NoCodes)));
    }
}
