//! What a second of sound costs to tokenize and to learn from with the tiny encoder, and to hear
//! with HuBERT base. `pytorch.py` beside it measures the last with PyTorch.

// A benchmark that unwraps fails where it should.
#![allow(clippy::unwrap_used)]

use audiolm_nn::generator;
use audiolm_semantic::{
    Clustering, HubertPretrainingConfig, PretrainingBatch, SemanticTokenizer, SpanMasking, presets,
};
use burn::prelude::*;
use burn::tensor::Distribution;
use divan::Bencher;
use divan::counter::ItemsCount;

const SAMPLE_RATE_HZ: usize = 16_000;
const LAYER: usize = 3;
const N_CLUSTERS: usize = 256;
/// Clusters of MFCCs that the encoder learns to guess.
const N_TARGETS: usize = 100;
/// Seconds of a clip to learn from.
const CROP_SECONDS: usize = 2;

fn main() {
    audiolm_flex::install();
    audiolm_flex::work_on_this_thread();
    divan::main();
}

fn noise(batch: usize, samples: usize, device: &Device) -> Tensor<2> {
    Tensor::random([batch, samples], Distribution::Normal(0.0, 0.1), device)
}

/// Tokens of a clip of so many seconds, in samples per second.
#[divan::bench(args = [1, 10], sample_count = 5)]
fn tokenizes(bencher: Bencher, seconds: usize) {
    let device = Device::default();
    let config = presets::tiny();
    let encoder = config.init(&device).unwrap();
    let spread = Distribution::Normal(0.0, 1.0);
    let centroids = Tensor::random([N_CLUSTERS, config.d_model], spread, &device);
    let clustering = Clustering::from_centroids(centroids);
    let tokenizer = SemanticTokenizer::new(&config, encoder, LAYER, clustering).unwrap();
    let wave = noise(1, seconds * SAMPLE_RATE_HZ, &device);
    bencher
        .counter(ItemsCount::new(seconds * SAMPLE_RATE_HZ))
        .bench(|| tokenizer.tokenize(wave.clone()));
}

/// Features of 10 s from HuBERT base, in samples per second: of what enters its layers, of layer 9, and
/// of the whole.
#[divan::bench(args = [0, 9, 12], sample_count = 7)]
fn hears_with_hubert_base(bencher: Bencher, layer: usize) {
    const SECONDS: usize = 10;
    let device = Device::default();
    let encoder = presets::base().init(&device).unwrap();
    let wave = noise(1, SECONDS * SAMPLE_RATE_HZ, &device);
    bencher
        .counter(ItemsCount::new(SECONDS * SAMPLE_RATE_HZ))
        .bench(|| encoder.features(wave.clone(), layer).into_data());
}

/// The masked prediction loss of a batch and its gradients, in samples per second.
#[divan::bench(args = [1, 6], sample_count = 5)]
fn learns(bencher: Bencher, batch: usize) {
    let device = Device::default().autodiff();
    let config = presets::tiny();
    let frames = CROP_SECONDS * 50;
    let pretraining = HubertPretrainingConfig::new(config.clone(), N_TARGETS);
    let pretraining = pretraining.init(&device).unwrap();
    let shape = [batch, frames];
    let mask = SpanMasking::new();
    bencher.counter(ItemsCount::new(batch * CROP_SECONDS * SAMPLE_RATE_HZ)).bench(|| {
        let rng = &mut generator(1, "bench", 0);
        let batch = PretrainingBatch {
            wave: config.geometry().pad(noise(batch, CROP_SECONDS * SAMPLE_RATE_HZ, &device)),
            targets: Tensor::zeros(shape, &device),
            mask: mask.sample_batch(shape, rng, &device),
        };
        pretraining.forward(batch).loss.backward()
    });
}
