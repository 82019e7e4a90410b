//! w2v-BERT's pretraining learns what it is asked to learn.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_nn::generator;
use audiolm_semantic::{
    ConformerConfig, GumbelQuantizerConfig, HubertError, W2vBertBatch, W2vBertOutput,
    W2vBertPretrainingConfig, presets,
};
use burn::optim::{AdamConfig, GradientsParams};
use burn::prelude::*;
use rand::RngExt;
use std::f32::consts::TAU;

const CLIPS: usize = 3;
const FRAMES: usize = 50;
/// Frames of one tone.
const TONE_FRAMES: usize = 5;
const TONES: usize = 6;

/// Small enough to learn within a test.
fn config() -> W2vBertPretrainingConfig {
    let encoder = ConformerConfig { dropout: 0.0, ..ConformerConfig::new(32, 2, 4, 64) };
    let quantizer = GumbelQuantizerConfig::new().with_n_entries(16).with_d_entry(16);
    W2vBertPretrainingConfig::new(encoder, 1)
        .with_quantizer(quantizer)
        .with_d_projection(16)
        .with_n_distractors(20)
}

/// Clips of short tones.
fn wave(device: &Device) -> Tensor<2> {
    let rng = &mut generator(0, "tones", 0);
    let geometry = config().encoder.geometry();
    let tones = (0..CLIPS * FRAMES / TONE_FRAMES).map(|_| rng.random_range(1..=TONES));
    let samples = tones.flat_map(|tone| {
        let radians = TAU * 300.0 * tone as f32 / 16_000.0;
        (0..TONE_FRAMES * geometry.hop_samples).map(move |it| 0.3 * (radians * it as f32).sin())
    });
    let shape = [CLIPS, FRAMES * geometry.hop_samples];
    let wave = TensorData::new(samples.collect::<Vec<_>>(), shape);
    geometry.pad(Tensor::from_data(wave, device))
}

fn batch(seed: u64, step: u64, device: &Device) -> W2vBertBatch {
    config().training_batch(wave(device), step, &mut generator(seed, "batch", step))
}

/// What the first step and the last give.
fn train(steps: u64) -> [W2vBertOutput; 2] {
    let device = Device::default().autodiff();
    device.seed(0);
    let mut model = config().init(&device).expect("the numbers describe a model");
    let mut adam = AdamConfig::new().init();
    let batch = batch(0, 0, &device);
    let first = model.forward(batch.clone());
    for _ in 0..steps {
        let loss = model.forward(batch.clone()).loss;
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = adam.step(3e-3, model, gradients);
    }
    [first, model.forward(batch)]
}

fn value(tensor: &Tensor<1>) -> f32 {
    tensor.clone().into_scalar()
}

#[test]
fn one_batch_is_learnt() {
    let [first, last] = train(60);
    assert!(value(&last.contrastive_loss) < 0.5 * value(&first.contrastive_loss), "{last:?}");
    assert!(value(&last.prediction_loss) < 0.5 * value(&first.prediction_loss), "{last:?}");
    assert!(value(&last.contrastive_accuracy) > 0.6, "{last:?}");
    assert!(value(&last.prediction_accuracy) > value(&last.majority), "{last:?}");
    assert!(value(&last.code_perplexity) > 3.0, "the codes collapsed: {last:?}");
}

#[test]
fn the_same_seed_gives_the_same_loss() {
    let device = Device::default();
    let model = config().init(&device).unwrap();
    let loss = |seed, step| value(&model.forward(batch(seed, step, &device)).loss);
    assert_eq!(loss(1, 2), loss(1, 2));
    assert_ne!(loss(1, 2), loss(2, 2));
    assert_ne!(loss(1, 2), loss(1, 3));
}

#[test]
fn its_parts_make_the_loss() {
    let device = Device::default();
    let config = config().with_diversity_weight(3.0).with_prediction_weight(0.5);
    let output = config.init(&device).unwrap().forward(batch(0, 0, &device));
    let expected = value(&output.contrastive_loss)
        + 3.0 * value(&output.diversity_loss)
        + 0.5 * value(&output.prediction_loss);
    assert!((value(&output.loss) - expected).abs() < 1e-5, "{output:?}");
}

#[test]
fn an_untrained_model_tells_nothing() {
    let device = Device::default();
    device.seed(3);
    let model = config().init(&device).unwrap();
    let held_out = config().held_out_batch(wave(&device), &mut generator(0, "valid", 0));
    let output = model.forward(held_out);
    // Guesses are nearly uniform over 16 entries.
    assert!((value(&output.prediction_loss) - 16f32.ln()).abs() < 0.5, "{output:?}");
    assert!(value(&output.contrastive_accuracy) < 0.5, "{output:?}");
}

#[track_caller]
fn check_refused(config: &W2vBertPretrainingConfig, expected: HubertError) {
    assert_eq!(config.init(&Device::default()).unwrap_err(), expected);
}

#[test]
fn names_what_describes_no_pretraining() {
    let layers = |found| HubertError::ContrastiveLayers { found, n_layers: 2 };
    for found in [0, 2] {
        let config = W2vBertPretrainingConfig { n_contrastive_layers: found, ..config() };
        check_refused(&config, layers(found));
    }
    let expected = HubertError::ZeroSize { name: "n_distractors" };
    check_refused(&config().with_n_distractors(0), expected);
    let quantizer = GumbelQuantizerConfig::new().with_n_entries(1);
    let expected = HubertError::TooFewEntries { found: 1 };
    check_refused(&config().with_quantizer(quantizer), expected);
}

#[test]
fn presets_describe_pretraining() {
    presets::w2v_bert_xl_pretraining().validate().unwrap();
    presets::w2v_bert_tiny_pretraining().validate().unwrap();
}
