//! Laws of k-means over a stream.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::ops::Range;

use audiolm_nn::generator;
use audiolm_nn::kmeans::{BatchReport, MiniBatch, assign, fit, tally};
use burn::module::Module;
use burn::prelude::*;
use burn::tensor::Distribution;
use proptest::prelude::*;
use rand::RngExt;

/// More points than are assigned at once.
const MANY: usize = 40_000;

/// `n` points around `n_groups` centers, from a generator on the host.
fn mixture(n: usize, n_groups: usize, step: u64) -> Tensor<2> {
    const DIMS: usize = 6;
    let (mut centers, mut rng) = (generator(1, "centers", 0), generator(1, "points", step));
    let centers: Vec<f32> = (0..n_groups * DIMS).map(|_| centers.random_range(-3.0..3.0)).collect();
    let point = |_| {
        let group = rng.random_range(0..n_groups);
        let values = centers[group * DIMS..][..DIMS].iter();
        values.map(|it| it + rng.random_range(-1.0..1.0)).collect::<Vec<f32>>()
    };
    let values: Vec<f32> = (0..n).flat_map(point).collect();
    Tensor::from_data(TensorData::new(values, [n, DIMS]), &Device::default())
}

fn begun(n_clusters: usize) -> MiniBatch {
    MiniBatch::seeded(&mixture(400, 8, 0), n_clusters, &mut generator(0, "k-means", 0))
}

fn steps(kmeans: &mut MiniBatch, steps: Range<u64>) -> Vec<BatchReport> {
    let step = |it| kmeans.step(&mixture(200, 8, it), &mut generator(0, "k-means step", it));
    steps.map(step).collect()
}

#[test]
fn the_same_seed_gives_the_same_centroids() {
    let fitted = || {
        let mut kmeans = begun(12);
        steps(&mut kmeans, 0..5);
        kmeans.centroids().into_data()
    };
    assert_eq!(fitted(), fitted());
}

#[test]
fn a_saved_state_goes_on_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kmeans.bpk");
    let mut whole = begun(12);
    steps(&mut whole, 0..3);
    whole.clone().save_file(&path).unwrap();
    let empty = MiniBatch::from_centroids(Tensor::zeros([12, 6], &Device::default()));
    let mut restored = empty.try_load_file(&path).unwrap();
    assert_eq!(steps(&mut whole, 3..8), steps(&mut restored, 3..8));
    assert_eq!(whole.centroids().into_data(), restored.centroids().into_data());
}

#[test]
fn a_stream_is_clustered_nearly_as_well_as_all_points_at_once() {
    let mut kmeans = begun(8);
    let reports = steps(&mut kmeans, 0..40);
    assert!(reports.iter().all(|it| it.moved == 0));
    let points = Tensor::cat((0..40).map(|it| mixture(200, 8, it)).collect(), 0);
    let lloyd = fit(points.clone(), 8, 30, &mut generator(0, "k-means", 0));
    let lloyd = tally(points.clone(), &lloyd).inertia();
    let streamed = tally(points, &kmeans.centroids()).inertia();
    // Each ends in a minimum of its own.
    assert!(streamed < 1.1 * lloyd, "{streamed}, Lloyd {lloyd}");
}

#[test]
fn a_starving_cluster_is_moved_and_learns() {
    let far = Tensor::<2>::full([1, 6], 1e3, &Device::default());
    let seeds = begun(7).centroids();
    let mut kmeans = MiniBatch::from_centroids(Tensor::cat(vec![seeds, far], 0));
    let reports = steps(&mut kmeans, 0..40);
    assert_eq!(reports.iter().map(|it| it.moved).sum::<usize>(), 1);
    let (first, last) = (&reports[0].tally, &reports[39].tally);
    assert_eq!((first.usage(), last.usage()), (7.0 / 8.0, 1.0));
    assert!(last.inertia() < first.inertia());
}

#[test]
fn a_centroid_is_the_mean_of_what_was_nearest() {
    let device = Device::default();
    let mut kmeans = MiniBatch::from_centroids(Tensor::from_floats([[0.0], [10.0]], &device));
    let rng = &mut generator(0, "k-means", 0);
    kmeans.step(&Tensor::from_floats([[1.0], [3.0]], &device), rng);
    let report = kmeans.step(&Tensor::from_floats([[5.0], [11.0]], &device), rng);
    let centroids = kmeans.centroids().into_data().try_into_vec::<f32>().unwrap();
    assert_eq!(centroids, [3.0, 11.0]);
    assert_eq!((report.tally.inertia(), report.tally.usage()), (5.0, 1.0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..Default::default() })]

    #[test]
    fn chunks_are_assigned_as_the_whole(
        values in prop::collection::vec(-8i8..8, 120),
        cut in 1usize..39,
    ) {
        // Whole numbers, so that no sum is rounded and ties are ties in any order.
        let device = Device::default();
        let values: Vec<f32> = values.into_iter().map(f32::from).collect();
        let points = Tensor::<2>::from_data(TensorData::new(values, [40, 3]), &device);
        let centroids = points.clone().slice_dim(0, ..5);
        let part = |rows| assign(points.clone().slice_dim(0, rows), &centroids);
        let parts = Tensor::cat(vec![part(0..cut), part(cut..40)], 0);
        prop_assert_eq!(assign(points.clone(), &centroids).into_data(), parts.into_data());
    }
}

#[test]
fn more_points_than_a_chunk_are_assigned_as_in_parts() {
    let points = Tensor::<2>::random([MANY, 2], Distribution::Normal(0.0, 1.0), &Device::default());
    let points = (points * 8.0).round();
    let centroids = points.clone().slice_dim(0, ..9);
    let part = |rows| tally(points.clone().slice_dim(0, rows), &centroids);
    let whole = tally(points.clone(), &centroids);
    let parts = part(0..MANY / 3).plus(&part(MANY / 3..MANY));
    assert_eq!((whole.usage(), whole.perplexity()), (parts.usage(), parts.perplexity()));
    assert!((whole.inertia() - parts.inertia()).abs() < 1e-4 * whole.inertia());
}
