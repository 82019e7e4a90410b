//! Pretraining learns what it is asked to learn.

use audiolm_nn::{Generator, generator};
use audiolm_semantic::{
    ConvLayerConfig, HubertConfig, HubertPretrainingConfig, PretrainingBatch, PretrainingOutput,
    SpanMasking,
};
use burn::optim::{AdamConfig, GradientsParams};
use burn::prelude::*;
use rand::RngExt;
use std::f32::consts::TAU;

const N_CLUSTERS: usize = 6;
const CLIPS: usize = 3;
const FRAMES: usize = 50;
/// Frames of one tone.
const TONE_FRAMES: usize = 5;

/// An encoder small enough to learn within a test: 50 frames a second as HuBERT's.
fn encoder() -> HubertConfig {
    let conv_layers = [(10, 5), (8, 8), (8, 8)];
    let conv_layers = conv_layers.map(|(kernel, stride)| ConvLayerConfig::new(16, kernel, stride));
    HubertConfig::new(conv_layers.to_vec(), 32, 2, 4, 64)
        .with_position_kernel_size(16)
        .with_position_groups(4)
        .with_dropout(0.0)
}

/// Clips of short tones; the target of a frame is its tone.
fn batch(rng: &mut Generator, device: &Device) -> PretrainingBatch {
    let geometry = encoder().geometry();
    let tones: Vec<usize> =
        (0..CLIPS * FRAMES / TONE_FRAMES).map(|_| rng.random_range(0..N_CLUSTERS)).collect();
    let targets = tones.iter().flat_map(|&it| [it as i64; TONE_FRAMES]);
    let samples = tones.iter().flat_map(|&tone| {
        let radians = TAU * 300.0 * (tone + 1) as f32 / 16_000.0;
        (0..TONE_FRAMES * geometry.hop_samples).map(move |it| 0.3 * (radians * it as f32).sin())
    });
    let wave = TensorData::new(samples.collect::<Vec<_>>(), [CLIPS, FRAMES * geometry.hop_samples]);
    let targets = TensorData::new(targets.collect::<Vec<_>>(), [CLIPS, FRAMES]);
    PretrainingBatch {
        wave: geometry.pad(Tensor::from_data(wave, device)),
        targets: Tensor::from_data(targets, device),
        mask: SpanMasking::new().sample_batch([CLIPS, FRAMES], rng, device),
    }
}

/// What the first step and the last give.
fn train(steps: usize) -> [PretrainingOutput; 2] {
    let device = Device::default().autodiff();
    device.seed(0);
    let batch = batch(&mut generator(0, "batch", 0), &device);
    let config = HubertPretrainingConfig::new(encoder(), N_CLUSTERS).with_d_projection(16);
    let mut model = config.init(&device).expect("the numbers describe a model");
    let mut adam = AdamConfig::new().init();
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
    let [first, last] = train(70);
    assert!(value(&last.prediction_loss) < 0.3 * value(&first.prediction_loss));
    assert!(value(&last.masked_accuracy) > 0.8, "{last:?}");
    assert!(value(&last.usage) > 0.5, "the guesses collapsed: {last:?}");
}

#[test]
fn only_masked_frames_count() {
    let device = Device::default();
    let batch = batch(&mut generator(1, "batch", 0), &device);
    let config = HubertPretrainingConfig::new(encoder(), N_CLUSTERS).with_d_projection(16);
    let model = config.init(&device).unwrap();
    let loss_of = |targets| {
        let output = model.forward(PretrainingBatch { targets, ..batch.clone() });
        value(&output.prediction_loss)
    };
    let wrong = Tensor::zeros_like(&batch.targets);
    let wrong_where = |mask| loss_of(batch.targets.clone().mask_where(mask, wrong.clone()));
    assert_eq!(wrong_where(batch.mask.clone().bool_not()), loss_of(batch.targets.clone()));
    assert_ne!(wrong_where(batch.mask.clone()), loss_of(batch.targets.clone()));
}
