//! K-means on any device: k-means++ seeding and Lloyd's iterations as matrix products.

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;
use rand::RngExt;

use crate::Generator;

/// Points assigned at once, so that the matrix of distances stays small.
const CHUNK: usize = 16_384;

/// Points for each cluster that seeds are drawn from; each seed is a pass over all of them.
const SEEDING_POINTS: usize = 16;

/// Centroids of `points` `[n, dims]`: `[n_clusters, dims]`.
///
/// Seeds by k-means++ (Arthur and Vassilvitskii 2007), then repeats assignment and averaging. A
/// cluster that loses all its points moves to the point farthest from its own centroid.
///
/// # Panics
/// Where there are fewer points than clusters.
pub fn fit(
    points: Tensor<2>,
    n_clusters: usize,
    n_iterations: usize,
    rng: &mut Generator,
) -> Tensor<2> {
    let [n, _] = points.dims();
    assert!(n >= n_clusters && n_clusters > 0, "{n} points cannot make {n_clusters} clusters");
    let mut centroids = plus_plus(&points, n_clusters, rng);
    for _ in 0..n_iterations {
        centroids = averaged(&points, &centroids);
    }
    centroids
}

/// The nearest centroid of each point.
///
/// # Shapes
/// - points: `[n, dims]`
/// - centroids: `[n_clusters, dims]`
/// - output: `[n]`
pub fn assign(points: Tensor<2>, centroids: &Tensor<2>) -> Tensor<1, Int> {
    let measure = Measure::of(centroids);
    in_chunks(&points, |chunk| measure.distances(chunk).argmin(1).squeeze_dim(1))
}

/// The squared distance of each point to its nearest centroid: `[n]`.
///
/// # Shapes
/// As in [`assign`].
pub fn nearest_squared_distance(points: Tensor<2>, centroids: &Tensor<2>) -> Tensor<1> {
    let measure = Measure::of(centroids);
    in_chunks(&points, |chunk| {
        let nearest = measure.distances(chunk.clone()).min_dim(1);
        (nearest + squared_lengths(chunk)).clamp_min(0.0).squeeze_dim(1)
    })
}

/// `|x|^2` of each row: `[n, 1]`.
fn squared_lengths(rows: Tensor<2>) -> Tensor<2> {
    rows.square().sum_dim(1)
}

/// What turns points into distances by one product: centroids times -2 above their squared
/// lengths, `[dims + 1, n_clusters]`.
struct Measure(Tensor<2>);

impl Measure {
    fn of(centroids: &Tensor<2>) -> Self {
        let lengths = squared_lengths(centroids.clone());
        Self(Tensor::cat(vec![centroids.clone() * -2.0, lengths], 1).transpose())
    }

    /// `|c|^2 - 2 x·c`: what differs between the squared distances of one point,
    /// `[n, n_clusters]`.
    fn distances(&self, points: Tensor<2>) -> Tensor<2> {
        let ones = Tensor::ones([points.dims()[0], 1], &points.device());
        Tensor::cat(vec![points, ones], 1).matmul(self.0.clone())
    }
}

fn in_chunks<K: burn::tensor::kind::Basic>(
    points: &Tensor<2>,
    of_chunk: impl Fn(Tensor<2>) -> Tensor<1, K>,
) -> Tensor<1, K> {
    let [n, _] = points.dims();
    let chunks = (0..n)
        .step_by(CHUNK)
        .map(|start| of_chunk(points.clone().slice_dim(0, start..(start + CHUNK).min(n))));
    Tensor::cat(chunks.collect(), 0)
}

fn averaged(points: &Tensor<2>, centroids: &Tensor<2>) -> Tensor<2> {
    let [n_clusters, dims] = centroids.dims();
    let device = points.device();
    let ids = assign(points.clone(), centroids);
    let add = IndexingUpdateOp::Add;
    let sums = Tensor::zeros([n_clusters, dims], &device);
    let sums = sums.select_assign(0, ids.clone(), points.clone(), add);
    let ones = Tensor::<1>::ones([points.dims()[0]], &device);
    // With one axis alone, `select_assign` would run on a single thread of a GPU.
    let counts = Tensor::<1>::zeros([n_clusters], &device).scatter(0, ids, ones, add);
    let means = sums / counts.clone().clamp_min(1.0).unsqueeze_dim::<2>(1);
    refilled(means, counts, points, centroids)
}

/// Moves every empty cluster to one of the points farthest from their centroids.
fn refilled(
    means: Tensor<2>,
    counts: Tensor<1>,
    points: &Tensor<2>,
    centroids: &Tensor<2>,
) -> Tensor<2> {
    let counts = counts.into_data().try_to_vec::<f32>().expect("distances are read as f32");
    let empty: Vec<i64> =
        (0..counts.len()).filter(|it| counts[*it] == 0.0).map(|it| it as i64).collect();
    if empty.is_empty() {
        return means;
    }
    let device = means.device();
    let far = nearest_squared_distance(points.clone(), centroids);
    let (_, farthest) = far.sort_descending_with_indices(0);
    let moved =
        points.clone().select(0, farthest.slice_dim(0, ..empty.len().min(points.dims()[0])));
    let rows = Tensor::<1, Int>::from_data(TensorData::from(empty.as_slice()), &device);
    let old = means.clone().select(0, rows.clone());
    means.select_assign(0, rows, moved - old, IndexingUpdateOp::Add)
}

/// Seeds far from one another: each is drawn with a probability proportional to its squared
/// distance from the seeds before it.
fn plus_plus(points: &Tensor<2>, n_clusters: usize, rng: &mut Generator) -> Tensor<2> {
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
fn weighted(weights: &[f32], rng: &mut Generator) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    /// Four tight groups of 25 points at the corners of a square.
    fn groups(device: &Device) -> Tensor<2> {
        let values: Vec<f32> = (0..100)
            .flat_map(|it| {
                let corner = it % 4;
                let jitter = 0.01 * (it / 4) as f32;
                [10.0 * (corner % 2) as f32 + jitter, 10.0 * (corner / 2) as f32 - jitter]
            })
            .collect();
        Tensor::from_data(TensorData::new(values, [100, 2]), device)
    }

    #[test]
    fn finds_the_groups() {
        let device = Device::default();
        let points = groups(&device);
        let centroids = fit(points.clone(), 4, 10, &mut generator(0, "k-means", 0));
        let inertia = nearest_squared_distance(points.clone(), &centroids).mean();
        assert!(inertia.into_scalar::<f32>() < 0.02);
        let ids =
            assign(points, &centroids).into_data().convert::<i64>().try_to_vec::<i64>().unwrap();
        assert!((0..100).all(|it| ids[it] == ids[it % 4]));
    }

    #[test]
    fn the_same_seed_gives_the_same_centroids() {
        let points = groups(&Device::default());
        let fitted =
            |seed| fit(points.clone(), 7, 3, &mut generator(seed, "k-means", 0)).into_data();
        assert_eq!(fitted(1), fitted(1));
    }

    #[test]
    fn an_empty_cluster_moves_to_a_far_point() {
        let device = Device::default();
        let points = Tensor::<2>::from_floats([[0.0], [1.0], [9.0]], &device);
        let centroids = Tensor::<2>::from_floats([[0.5], [100.0]], &device);
        let moved = averaged(&points, &centroids).into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(moved[1], 9.0);
    }
}
