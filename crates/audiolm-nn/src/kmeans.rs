//! K-means on any device: k-means++ seeding, Lloyd's iterations over points in memory, and mini-batches
//! of points that do not fit there. Distances are matrix products.

mod mini_batch;
mod seeding;
mod tally;

pub use mini_batch::{BatchReport, MiniBatch};
pub use tally::Tally;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use crate::Generator;
use seeding::plus_plus;

/// Points for each cluster that seeds are drawn from; each seed is a pass over all of them.
pub const SEEDING_POINTS: usize = 16;

/// Points assigned at once, so that the matrix of distances stays within the caches.
const CHUNK: usize = 2_048;

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
    Nearest::of(&points, centroids).squared_distance
}

/// How well centroids stand for points.
///
/// # Shapes
/// As in [`assign`].
pub fn tally(points: Tensor<2>, centroids: &Tensor<2>) -> Tally {
    let nearest = Nearest::of(&points, centroids);
    let hits = nearest.hits(centroids.dims()[0]);
    Tally::read(hits, nearest.squared_distance)
}

/// Where points lie among centroids: what one matrix product tells of both.
struct Nearest {
    /// The nearest centroid of each point: `[n]`.
    ids: Tensor<1, Int>,
    /// The squared distance to it: `[n]`.
    squared_distance: Tensor<1>,
}

impl Nearest {
    /// Of points `[n, dims]` among centroids `[n_clusters, dims]`.
    fn of(points: &Tensor<2>, centroids: &Tensor<2>) -> Self {
        let measure = Measure::of(centroids);
        let chunks = chunks(points).map(|chunk| measure.nearest(chunk));
        let (ids, distances) = chunks.map(|it| (it.ids, it.squared_distance)).unzip();
        Self { ids: Tensor::cat(ids, 0), squared_distance: Tensor::cat(distances, 0) }
    }

    /// Points of each of `n_clusters` clusters: `[n_clusters]`.
    fn hits(&self, n_clusters: usize) -> Tensor<1> {
        let device = self.ids.device();
        let ones = Tensor::<1>::ones(self.ids.dims(), &device);
        // With one axis alone, `select_assign` would run on a single thread of a GPU.
        let none = Tensor::<1>::zeros([n_clusters], &device);
        none.scatter(0, self.ids.clone(), ones, IndexingUpdateOp::Add)
    }
}

/// The sum of the points of each cluster: `[n_clusters, dims]`.
fn sums(points: &Tensor<2>, ids: Tensor<1, Int>, n_clusters: usize) -> Tensor<2> {
    let none = Tensor::zeros([n_clusters, points.dims()[1]], &points.device());
    none.select_assign(0, ids, points.clone(), IndexingUpdateOp::Add)
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

    fn nearest(&self, points: Tensor<2>) -> Nearest {
        let distances = self.distances(points.clone());
        let ids = distances.clone().argmin(1);
        let nearest = distances.gather(1, ids.clone()) + squared_lengths(points);
        Nearest { ids: ids.squeeze_dim(1), squared_distance: nearest.clamp_min(0.0).squeeze_dim(1) }
    }
}

fn in_chunks<K: burn::tensor::kind::Basic>(
    points: &Tensor<2>,
    of_chunk: impl Fn(Tensor<2>) -> Tensor<1, K>,
) -> Tensor<1, K> {
    Tensor::cat(chunks(points).map(of_chunk).collect(), 0)
}

fn chunks(points: &Tensor<2>) -> impl Iterator<Item = Tensor<2>> {
    let [n, _] = points.dims();
    (0..n)
        .step_by(CHUNK)
        .map(move |start| points.clone().slice_dim(0, start..(start + CHUNK).min(n)))
}

fn averaged(points: &Tensor<2>, centroids: &Tensor<2>) -> Tensor<2> {
    let [n_clusters, _] = centroids.dims();
    let nearest = Nearest::of(points, centroids);
    let counts = nearest.hits(n_clusters);
    let sums = sums(points, nearest.ids, n_clusters);
    let means = sums / counts.clone().clamp_min(1.0).unsqueeze_dim::<2>(1);
    refilled(means, counts, points, nearest.squared_distance)
}

/// Moves every empty cluster to one of the points farthest from their centroids.
fn refilled(
    means: Tensor<2>,
    counts: Tensor<1>,
    points: &Tensor<2>,
    squared_distance: Tensor<1>,
) -> Tensor<2> {
    let counts = counts.into_data().try_to_vec::<f32>().expect("distances are read as f32");
    let empty: Vec<i64> =
        (0..counts.len()).filter(|it| counts[*it] == 0.0).map(|it| it as i64).collect();
    if empty.is_empty() {
        return means;
    }
    let device = means.device();
    let (_, farthest) = squared_distance.sort_descending_with_indices(0);
    let moved =
        points.clone().select(0, farthest.slice_dim(0, ..empty.len().min(points.dims()[0])));
    let rows = Tensor::<1, Int>::from_data(TensorData::from(empty.as_slice()), &device);
    let old = means.clone().select(0, rows.clone());
    means.select_assign(0, rows, moved - old, IndexingUpdateOp::Add)
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
