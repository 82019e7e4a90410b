//! The triplets of one context.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Labelled;
use super::averages::Averages;

/// The examples of one context, by speaker and category, and how far they are apart.
pub(super) struct Members<'a> {
    kinds: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// From each example to those before it.
    distances: Vec<Vec<f32>>,
}

/// Three kinds of examples: X is of A's category.
#[derive(Clone, Copy)]
struct Kinds<'a> {
    a: &'a [usize],
    b: &'a [usize],
    x: &'a [usize],
}

impl<'a> Members<'a> {
    pub(super) fn new(items: &'a [Labelled<'a>]) -> Self {
        let mut kinds: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (idx, item) in items.iter().enumerate() {
            kinds.entry((item.speaker, item.category)).or_default().push(idx);
        }
        let to_former = |(idx, item): (usize, &Labelled<'_>)| -> Vec<f32> {
            items[..idx].iter().map(|it| it.frames.distance(&item.frames) as f32).collect()
        };
        let distances = items.par_iter().enumerate().map(to_former).collect();
        Self { kinds, distances }
    }

    /// Adds the share of wrong triplets of each pair of categories.
    pub(super) fn measure(&self, within: &mut Averages, across: &mut Averages) {
        for (&(speaker, category), a) in &self.kinds {
            for (&(_, other), b) in self.of_speaker(speaker).filter(|it| it.0.1 != category) {
                for (&(listener, _), x) in self.of_category(category) {
                    let share = self.wrong(Kinds { a, b, x });
                    let to = if listener == speaker { &mut *within } else { &mut *across };
                    let pair = [category, other].map(str::to_owned);
                    let speakers = [speaker, listener].map(str::to_owned);
                    share.into_iter().for_each(|it| to.add(pair.clone(), speakers.clone(), it));
                }
            }
        }
    }

    fn of_speaker(
        &self,
        speaker: &'a str,
    ) -> impl Iterator<Item = (&(&'a str, &'a str), &Vec<usize>)> {
        self.kinds.iter().filter(move |it| it.0.0 == speaker)
    }

    fn of_category(
        &self,
        category: &'a str,
    ) -> impl Iterator<Item = (&(&'a str, &'a str), &Vec<usize>)> {
        self.kinds.iter().filter(move |it| it.0.1 == category)
    }

    /// The share of triplets in which X is nearer to B; a tie counts half. None where X has nobody
    /// of its kind but itself.
    fn wrong(&self, kinds: Kinds<'_>) -> Option<f64> {
        let Kinds { a, b, x } = kinds;
        let (mut wrong, mut n) = (0.0, 0_usize);
        for &x in x {
            let to_b: Vec<f32> = b.iter().map(|&b| self.distance(b, x)).collect();
            for &a in a.iter().filter(|it| **it != x) {
                let to_a = self.distance(a, x);
                wrong += to_b.iter().map(|&it| wrongness(to_a, it)).sum::<f64>();
                n += to_b.len();
            }
        }
        (n > 0).then(|| wrong / n as f64)
    }

    /// The same both ways.
    fn distance(&self, one: usize, other: usize) -> f32 {
        self.distances[one.max(other)][one.min(other)]
    }
}

fn wrongness(to_a: f32, to_b: f32) -> f64 {
    match to_a.total_cmp(&to_b) {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 1.0,
    }
}
