//! How often codes come, learnt while they come.

use std::borrow::Borrow;
use std::num::NonZeroU32;

use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};

/// Bits of a probability.
pub(super) const PRECISION: usize = 24;
/// What a code that has come once more adds to its count. With 1, which suits infinitely many
/// codes, a codebook of 1024 entries takes minutes to be learnt.
const STEP: u32 = 4;
/// Where counts are halved, so that the model forgets what is long past.
const MOST: u32 = 1 << 20;

/// The counts of one quantizer's codes.
#[derive(Debug, Clone)]
pub(super) struct AdaptiveModel {
    counts: Vec<u32>,
    /// A Fenwick tree: entry `n` holds the counts of as many codes as the lowest bit of `n`, the
    /// last of them `n - 1`.
    sums: Vec<u32>,
    total: u32,
}

impl AdaptiveModel {
    /// Of codes that are all as likely.
    pub(super) fn new(codebook_size: u32) -> Self {
        let mut model =
            Self { counts: vec![1; codebook_size as usize], sums: Vec::new(), total: 0 };
        model.sum_up();
        model
    }

    /// Takes note of a code.
    pub(super) fn learn(&mut self, code: u32) {
        self.counts[code as usize] += STEP;
        self.total += STEP;
        let mut node = code as usize + 1;
        while node < self.sums.len() {
            self.sums[node] += STEP;
            node += lowest_bit(node);
        }
        if self.total > MOST {
            self.counts.iter_mut().for_each(|it| *it = it.div_ceil(2));
            self.sum_up();
        }
    }

    fn sum_up(&mut self) {
        self.total = self.counts.iter().sum();
        self.sums = vec![0; self.counts.len() + 1];
        for node in 1..self.sums.len() {
            self.sums[node] += self.counts[node - 1];
            let parent = node + lowest_bit(node);
            if parent < self.sums.len() {
                self.sums[parent] += self.sums[node];
            }
        }
    }

    /// The counts of all codes below.
    fn below(&self, code: u32) -> u32 {
        let mut node = code as usize;
        let mut sum = 0;
        while node > 0 {
            sum += self.sums[node];
            node -= lowest_bit(node);
        }
        sum
    }

    /// The code that the count `at` belongs to.
    fn code_at(&self, at: u32) -> u32 {
        let (mut node, mut left) = (0, at);
        let mut step = self.counts.len().next_power_of_two();
        while step > 0 {
            let next = node + step;
            if next < self.sums.len() && self.sums[next] <= left {
                left -= self.sums[next];
                node = next;
            }
            step /= 2;
        }
        node as u32
    }

    fn start_and_width(&self, code: u32) -> (u32, NonZeroU32) {
        let below = self.below(code);
        let start = self.scaled(below);
        let end = self.scaled(below + self.counts[code as usize]);
        (start, NonZeroU32::new(end - start).expect("fewer counts than probabilities"))
    }

    fn scaled(&self, count: u32) -> u32 {
        ((u64::from(count) << PRECISION) / u64::from(self.total)) as u32
    }
}

fn lowest_bit(number: usize) -> usize {
    number & number.wrapping_neg()
}

impl EntropyModel<PRECISION> for &AdaptiveModel {
    type Symbol = u32;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for &AdaptiveModel {
    fn left_cumulative_and_probability(&self, code: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        let code = *code.borrow();
        ((code as usize) < self.counts.len()).then(|| self.start_and_width(code))
    }
}

impl DecoderModel<PRECISION> for &AdaptiveModel {
    fn quantile_function(&self, quantile: u32) -> (u32, u32, NonZeroU32) {
        // The last count whose probability begins at the quantile or before.
        let at = ((u64::from(quantile) + 1) * u64::from(self.total) - 1) >> PRECISION;
        let code = self.code_at(at as u32);
        let (start, width) = self.start_and_width(code);
        (code, start, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn every_quantile_belongs_to_the_code_around_it(
            size in 2_u32..70,
            seen in prop::collection::vec(any::<u32>(), 0..200),
            quantile in 0_u32..1 << PRECISION,
        ) {
            let mut model = AdaptiveModel::new(size);
            seen.iter().for_each(|it| model.learn(it % size));
            let (code, start, width) = (&model).quantile_function(quantile);
            prop_assert!(start <= quantile && quantile < start + width.get());
            prop_assert_eq!((&model).left_cumulative_and_probability(code), Some((start, width)));
        }

        #[test]
        fn codes_fill_the_whole(
            size in 2_u32..70,
            seen in prop::collection::vec(any::<u32>(), 0..200),
        ) {
            let mut model = AdaptiveModel::new(size);
            seen.iter().for_each(|it| model.learn(it % size));
            let end = (0..size).fold(0, |end, code| {
                let (start, width) = model.start_and_width(code);
                assert_eq!(start, end);
                start + width.get()
            });
            prop_assert_eq!(end, 1 << PRECISION);
        }
    }

    #[test]
    fn counts_stay_small_and_never_vanish() {
        let mut model = AdaptiveModel::new(3);
        (0..MOST).for_each(|it| model.learn(it % 2));
        assert!(model.total <= MOST);
        assert_eq!(model.counts[2], 1);
        assert_eq!(model.below(2) + model.counts[2], model.total);
    }
}
