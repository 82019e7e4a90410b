//! Shares of triplets, averaged so that nothing counts more for having more examples.

use std::collections::BTreeMap;

/// Two categories, in order: A's and B's.
pub(super) type Pair = [String; 2];
/// Who says A and B, and who says X.
pub(super) type Speakers = [String; 2];

/// Shares by pair of categories, then by speakers; one for each context.
#[derive(Default)]
pub(super) struct Averages(BTreeMap<Pair, BTreeMap<Speakers, Mean>>);

impl Averages {
    /// Adds the share of a context.
    pub(super) fn add(&mut self, pair: Pair, speakers: Speakers, share: f64) {
        self.0.entry(pair).or_default().entry(speakers).or_default().add(share);
    }

    /// Over contexts, then speakers, then pairs.
    pub(super) fn mean(&self) -> Option<f64> {
        let of_pair = |of: &BTreeMap<Speakers, Mean>| mean(of.values().filter_map(Mean::value));
        mean(self.0.values().filter_map(of_pair))
    }
}

#[derive(Default)]
struct Mean {
    sum: f64,
    n: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1;
    }

    fn value(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut all = Mean::default();
    values.for_each(|it| all.add(it));
    all.value()
}
