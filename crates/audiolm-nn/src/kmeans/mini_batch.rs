//! K-means of a stream: each batch of points moves the centroids, and is then forgotten.

use burn::module::Param;
use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::seeding::{plus_plus, weighted};
use super::tally::floats;
use super::{Nearest, Tally, sums};
use crate::Generator;

/// Points for each cluster after which a hit is forgotten, but for a share of 1/e.
const WINDOW: f64 = 100.0;
/// A cluster starves with less than this share of the hits that clusters have on average.
const STARVING: f32 = 0.01;

/// Centroids that learn from batches (Sculley 2010, "Web-scale k-means clustering"): each is the mean
/// of all points that were ever nearest to it, so the more it has seen, the less a batch moves it.
///
/// Batches of any size; memory holds one batch, the centroids and little more. The paper adds point
/// after point at a rate of one over the cluster's count; all points of a batch at once give the same
/// mean.
///
/// A cluster starves that has had hardly any points among the last hundred or so for each cluster. It
/// moves to a point of the batch, drawn in proportion to the squared distance from the nearest
/// centroid as in k-means++, and begins to count anew. The counts of the mean never forget: a cluster
/// that was once full would not be found to be empty by them, hence a second, fading count.
///
/// The module is the whole state: one that is saved and restored goes on as if nothing had happened.
#[derive(Module, Debug)]
pub struct MiniBatch {
    /// `[n_clusters, dims]`
    centroids: Param<Tensor<2>>,
    /// Points that each centroid is the mean of: `[n_clusters]`
    counts: Param<Tensor<1>>,
    /// Points of late, fading: `[n_clusters]`
    recent: Param<Tensor<1>>,
}

/// What a batch has met and done.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchReport {
    /// Its points among the centroids as they were before it.
    pub tally: Tally,
    /// Starving clusters that were moved.
    pub moved: usize,
}

impl MiniBatch {
    /// Seeds of k-means++ among a first sample of points, `[n, dims]`. More than
    /// [`SEEDING_POINTS`](super::SEEDING_POINTS) for each cluster are of no use.
    ///
    /// # Panics
    /// Where there are fewer points than clusters.
    pub fn seeded(sample: &Tensor<2>, n_clusters: usize, rng: &mut Generator) -> Self {
        let [n, _] = sample.dims();
        assert!(n >= n_clusters && n_clusters > 0, "{n} points cannot make {n_clusters} clusters");
        Self::from_centroids(plus_plus(sample, n_clusters, rng))
    }

    /// From centroids `[n_clusters, dims]` that no point counts for yet: those of elsewhere, or of any
    /// value where a saved state is to fill them.
    pub fn from_centroids(centroids: Tensor<2>) -> Self {
        let ([n_clusters, _], device) = (centroids.dims(), centroids.device());
        Self {
            centroids: constant(centroids),
            counts: constant(Tensor::zeros([n_clusters], &device)),
            recent: constant(Tensor::full([n_clusters], WINDOW, &device)),
        }
    }

    /// Learns from a batch `[n, dims]`, by one matrix product of it and the centroids.
    pub fn step(&mut self, batch: &Tensor<2>, rng: &mut Generator) -> BatchReport {
        let nearest = Nearest::of(batch, &self.centroids.val());
        let hits = nearest.hits(self.n_clusters());
        self.average(batch, &nearest, hits.clone());
        self.fade(batch.dims()[0], hits.clone());
        let moved = self.move_starving(batch, &nearest.squared_distance, rng);
        BatchReport { tally: Tally::read(hits, nearest.squared_distance), moved }
    }

    /// The centroids: `[n_clusters, dims]`.
    pub fn centroids(&self) -> Tensor<2> {
        self.centroids.val()
    }

    fn n_clusters(&self) -> usize {
        self.centroids.dims()[0]
    }

    /// `c + (sum of points - hits * c) / count`, which leaves alone what has no hits.
    fn average(&mut self, batch: &Tensor<2>, nearest: &Nearest, hits: Tensor<1>) {
        let (old, sums) = (self.centroids(), sums(batch, nearest.ids.clone(), self.n_clusters()));
        let counts = self.counts.val() + hits.clone();
        let change = sums - old.clone() * hits.unsqueeze_dim::<2>(1);
        let change = change / counts.clone().clamp_min(1.0).unsqueeze_dim::<2>(1);
        self.centroids = constant(old + change);
        self.counts = constant(counts);
    }

    fn fade(&mut self, n_points: usize, hits: Tensor<1>) {
        let kept = (-(n_points as f64) / (WINDOW * self.n_clusters() as f64)).exp();
        self.recent = constant(self.recent.val() * kept + hits);
    }

    fn move_starving(
        &mut self,
        batch: &Tensor<2>,
        squared_distance: &Tensor<1>,
        rng: &mut Generator,
    ) -> usize {
        let recent = floats(self.recent.val());
        let mean = recent.iter().sum::<f32>() / recent.len() as f32;
        let mut starving = starving(&recent, mean);
        starving.truncate(batch.dims()[0]);
        if starving.is_empty() {
            return 0;
        }
        let points = drawn_far(floats(squared_distance.clone()), starving.len(), rng);
        let points = batch.clone().select(0, indices(&points, &batch.device()));
        self.place(&starving, points, mean);
        starving.len()
    }

    /// Puts `clusters` to `points` `[clusters, dims]`, as if they had had the hits of an average one.
    fn place(&mut self, clusters: &[usize], points: Tensor<2>, hits: f32) {
        let (device, n) = (points.device(), clusters.len());
        let rows = indices(clusters, &device);
        let ones = Tensor::<1>::ones([n], &device);
        let moved = Tensor::<1>::zeros([self.n_clusters()], &device).scatter(
            0,
            rows.clone(),
            ones,
            IndexingUpdateOp::Add,
        );
        let kept = moved.clone() * -1.0 + 1.0;
        let centroids = self.centroids() * kept.clone().unsqueeze_dim::<2>(1);
        self.centroids = constant(centroids.select_assign(0, rows, points, IndexingUpdateOp::Add));
        self.counts = constant(self.counts.val() * kept.clone());
        self.recent = constant(self.recent.val() * kept + moved * hits);
    }
}

fn starving(recent: &[f32], mean: f32) -> Vec<usize> {
    (0..recent.len()).filter(|it| recent[*it] < STARVING * mean).collect()
}

/// `n` different points, each drawn in proportion to its weight.
fn drawn_far(mut weights: Vec<f32>, n: usize, rng: &mut Generator) -> Vec<usize> {
    let draw = |_| {
        let drawn = weighted(&weights, rng);
        weights[drawn] = 0.0;
        drawn
    };
    (0..n).map(draw).collect()
}

fn indices(rows: &[usize], device: &Device) -> Tensor<1, Int> {
    let rows: Vec<i64> = rows.iter().map(|it| *it as i64).collect();
    Tensor::from_data(TensorData::from(rows.as_slice()), device)
}

/// A tensor that is saved with the module and never trained.
fn constant<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(value.detach()).set_require_grad(false)
}
