//! One pass of mini-batch k-means over ten million frames: its time beside that of the plain matrix
//! product of the same size, and the memory that it takes.
//!
//! ```sh
//! cargo run --release -p audiolm-nn --example kmeans_pass
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use std::time::{Duration, Instant};

use audiolm_nn::generator;
use audiolm_nn::kmeans::{MiniBatch, SEEDING_POINTS};
use burn::prelude::*;
use burn::tensor::Distribution;

const N_FRAMES: usize = 10_000_000;
const BATCH: usize = 16_384;
const N_CLUSTERS: usize = 1_000;
const DIMS: usize = 768;
/// Batches between two measures of the plain product.
const COMPARED_EVERY: usize = 10;

fn main() {
    let device = Device::default();
    device.seed(0);
    let frames = Frames::new(&device);
    let rng = &mut generator(0, "k-means", 0);
    let (mut kmeans, seeding) = timed(|| MiniBatch::seeded(&frames.batch(0), N_CLUSTERS, rng));
    println!("seeds among {} frames: {seeding:.1?}", N_CLUSTERS * SEEDING_POINTS);

    let n_batches = N_FRAMES.div_ceil(BATCH);
    let (mut steps, mut making, mut products) = (Vec::new(), Duration::ZERO, Vec::new());
    for index in 0..n_batches {
        let (batch, made_in) = timed(|| frames.batch(index));
        making += made_in;
        if index.is_multiple_of(COMPARED_EVERY) {
            let centroids = kmeans.centroids().transpose();
            products.push(timed(|| batch.clone().matmul(centroids)).1);
        }
        let (report, time) = timed(|| kmeans.step(&batch, rng));
        steps.push(time);
        if index.is_multiple_of(100) || index + 1 == n_batches {
            let tally = &report.tally;
            let (inertia, perplexity) = (tally.inertia(), tally.perplexity());
            println!("batch {index}: inertia {inertia:.2}, perplexity {perplexity:.1}");
        }
    }

    let pass: Duration = steps.iter().sum();
    let product = median(&mut products);
    println!("frames made in {making:.1?}");
    println!("pass over {} frames: {pass:.1?}", n_batches * BATCH);
    println!("the plain product of that size: {:.1?}", product * n_batches as u32);
    let ratio = median(&mut steps).as_secs_f64() / product.as_secs_f64();
    println!("median of a batch / median of a product: {ratio:.3}");
    println!("peak memory: {}", peak_memory());
}

/// Groups of frames, made again and again from one block: cheap, yet no two batches are the same.
struct Frames {
    block: Tensor<2>,
    shifts: Tensor<2>,
}

impl Frames {
    fn new(device: &Device) -> Self {
        let normal = |rows, spread| {
            Tensor::<2>::random([rows, DIMS], Distribution::Normal(0.0, spread), device)
        };
        let centers = normal(2 * N_CLUSTERS, 1.0);
        let n_copies = (2 * BATCH).div_ceil(2 * N_CLUSTERS);
        let block = centers.repeat_dim(0, n_copies).slice_dim(0, ..2 * BATCH);
        Self { block: block + normal(2 * BATCH, 0.7), shifts: normal(97, 0.2) }
    }

    /// `[BATCH, DIMS]`
    fn batch(&self, index: usize) -> Tensor<2> {
        let start = index * 7_919 % BATCH;
        let shift = index % self.shifts.dims()[0];
        let rows = self.block.clone().slice_dim(0, start..start + BATCH);
        rows + self.shifts.clone().slice_dim(0, shift..shift + 1)
    }
}

/// What came of it, once it has been computed, and how long that took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    Device::default().sync().expect("the device computes");
    (made, start.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The most memory that this process has held, where Linux tells.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    line.map_or("not known here".to_owned(), |it| it.trim().to_owned())
}
