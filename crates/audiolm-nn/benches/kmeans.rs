//! What a batch costs mini-batch k-means, beside the one matrix product that it cannot do without.
//! `examples/kmeans_pass.rs` measures a pass over many batches.

use audiolm_nn::generator;
use audiolm_nn::kmeans::MiniBatch;
use burn::prelude::*;
use burn::tensor::Distribution;
use divan::Bencher;
use divan::counter::ItemsCount;

const N_POINTS: usize = 16_384;
const N_CLUSTERS: usize = 1_000;
const DIMS: usize = 768;

fn main() {
    divan::main();
}

fn noise(rows: usize) -> Tensor<2> {
    Tensor::random([rows, DIMS], Distribution::Normal(0.0, 1.0), &Device::default())
}

/// Points times centroids, in points per second.
#[divan::bench(sample_count = 11)]
fn multiplies(bencher: Bencher) {
    let (points, centroids) = (noise(N_POINTS), noise(N_CLUSTERS).transpose());
    let product = || points.clone().matmul(centroids.clone()).into_data();
    bencher.counter(ItemsCount::new(N_POINTS)).bench_local(product);
}

/// Assignment of a batch and the update of the centroids, in points per second.
#[divan::bench(sample_count = 11)]
fn learns_a_batch(bencher: Bencher) {
    let (points, mut kmeans) = (noise(N_POINTS), MiniBatch::from_centroids(noise(N_CLUSTERS)));
    let rng = &mut generator(0, "bench", 0);
    bencher.counter(ItemsCount::new(N_POINTS)).bench_local(|| kmeans.step(&points, rng));
}
