//! What the configuration says of latency and memory is what the layers do.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[allow(dead_code, reason = "the golden needs a part of it")]
mod support;

use burn::prelude::*;
use burn::tensor::Distribution;
use support::{codec, config};

/// Beyond the memory of every sample that is disturbed.
const FRAMES: usize = 90;

/// The first and the last sample of the output that differ where one sample of the input does.
fn reach_of(sample: usize) -> (usize, usize) {
    let device = Device::default();
    device.seed(0);
    let samples = FRAMES * config().hop_samples();
    let wave = Tensor::<3>::random([1, 1, samples], Distribution::Normal(0.0, 0.3), &device);
    let disturbance = (0..samples).map(|it| if it == sample { 1e3 } else { 0.0 });
    let disturbance = Tensor::<1>::from_floats(&disturbance.collect::<Vec<f32>>()[..], &device);
    let codec = codec(&device);
    let [calm, disturbed] = [wave.clone(), wave + disturbance.unsqueeze()]
        .map(|it| codec.autoencode(it).try_into_vec_as::<f32>().unwrap());
    let differs = |at: &usize| calm[*at] != disturbed[*at];
    let first = (0..samples).find(differs).unwrap();
    (first, (0..samples).rfind(differs).unwrap())
}

#[test]
fn output_waits_for_as_many_samples_as_computed() {
    let latency = config().latency_samples();
    let frame = 20 * config().hop_samples();
    // The last sample of a frame reaches furthest back.
    assert_eq!(reach_of(frame + latency - 1).0, frame);
    // The first one reaches no further than its own frame, and the one before not into it.
    assert_eq!(reach_of(frame).0, frame);
    assert_eq!(reach_of(frame - 1).0, frame - latency);
}

#[test]
fn output_depends_on_no_more_of_the_past_than_computed() {
    let memory = config().memory_samples();
    assert!(memory < (FRAMES - 1) * config().hop_samples());
    let reached = (0..config().hop_samples()).map(|it| reach_of(it).1 - it).max().unwrap();
    assert!(reached <= memory, "{reached} of {memory}");
    // The weights at the far end are products of thirty small numbers.
    assert!(reached > memory / 2, "{reached} of {memory}");
}
