//! Choices among points by chance: k-means++ (Arthur and Vassilvitskii 2007).

use burn::prelude::*;
use rand::RngExt;

use super::{SEEDING_POINTS, squared_lengths};
use crate::Generator;

/// Seeds far from one another: each is drawn with a probability proportional to its squared
/// distance from the seeds before it.
pub(super) fn plus_plus(points: &Tensor<2>, n_clusters: usize, rng: &mut Generator) -> Tensor<2> {
    let points = drawn(points, n_clusters * SEEDING_POINTS, rng);
    let [n, _] = points.dims();
    let row = |it: usize| points.clone().slice_dim(0, it..it + 1);
    let mut seeds = vec![row(rng.random_range(0..n))];
    let lengths = squared_lengths(points.clone());
    let distance = |seed: &Tensor<2>| -> Tensor<1> {
        let products = points.clone().matmul(seed.clone().transpose() * -2.0);
        let distances = lengths.clone() + squared_lengths(seed.clone()) + products;
        distances.clamp_min(0.0).squeeze_dim(1)
    };
    let mut nearest = distance(&seeds[0]);
    while seeds.len() < n_clusters {
        let weights = nearest.to_data().try_to_vec::<f32>().expect("distances are read as f32");
        let seed = row(weighted(&weights, rng));
        nearest = nearest.min_pair(distance(&seed));
        seeds.push(seed);
    }
    Tensor::cat(seeds, 0)
}

/// `n` of the points, or all where there are no more.
fn drawn(points: &Tensor<2>, n: usize, rng: &mut Generator) -> Tensor<2> {
    let [available, _] = points.dims();
    if available <= n {
        return points.clone();
    }
    let rows: Vec<i64> = (0..n).map(|_| rng.random_range(0..available) as i64).collect();
    let rows = Tensor::<1, Int>::from_data(TensorData::from(rows.as_slice()), &points.device());
    points.clone().select(0, rows)
}

/// An index drawn in proportion to `weights`; any, where all are zero.
pub(super) fn weighted(weights: &[f32], rng: &mut Generator) -> usize {
    let total: f64 = weights.iter().map(|it| f64::from(*it)).sum();
    if total <= 0.0 {
        return rng.random_range(0..weights.len());
    }
    let mut left = rng.random::<f64>() * total;
    let position = weights.iter().position(|it| {
        left -= f64::from(*it);
        left < 0.0
    });
    position.unwrap_or(weights.len() - 1)
}
