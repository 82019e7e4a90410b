//! The two stacks against numpy, and whole sequences against steps.

// Clippy's leave for tests ends at their helpers.
#![allow(clippy::unwrap_used)]

mod golden;

use audiolm_nn::{Buckets, Direction, load_weights};
use audiolm_transformer::{ConfigError, Decoder, DecoderConfig, Encoder, KvCache};
use burn::prelude::*;
use golden::{check_close, fixture, read};

const REFERENCE: &str = "decoder/reference.safetensors";

fn tensor(name: &str, device: &Device) -> Tensor<3> {
    golden::tensor(REFERENCE, name, device)
}

fn decoder(device: &Device) -> Decoder {
    let decoder = DecoderConfig::new(16, 2, 2, 32).with_dropout(0.0).init(device).unwrap();
    load_weights(decoder, &fixture("decoder/model.safetensors")).unwrap()
}

#[test]
fn equals_numpy() {
    let device = Device::default();
    let hidden = decoder(&device).forward(tensor("embedded", &device), None);
    check_close(hidden, tensor("hidden", &device));
}

fn encoder(device: &Device) -> Encoder {
    let config = DecoderConfig::new(16, 2, 2, 32).with_dropout(0.0);
    let encoder = config.init_bidirectional(device).unwrap();
    load_weights(encoder, &fixture("decoder/model.safetensors")).unwrap()
}

#[test]
fn an_encoder_equals_numpy() {
    let device = Device::default();
    let hidden = encoder(&device).forward(tensor("embedded", &device), &[150, 150]);
    check_close(hidden, tensor("bidirectional", &device));
}

#[test]
fn what_fills_up_a_sequence_is_not_seen() {
    let device = Device::default();
    let (encoder, embedded) = (encoder(&device), tensor("embedded", &device));
    let filled = encoder.forward(embedded.clone(), &[150, 131]).slice_dim(1, 0..131);
    let alone = encoder.forward(embedded.slice_dim(1, 0..131), &[131, 131]);
    check_close(filled.slice_dim(0, 1..2), alone.slice_dim(0, 1..2));
}

/// Steps through the golden in chunks of these lengths.
#[track_caller]
fn check_steps_equal_whole(chunks: &[usize]) {
    let device = Device::default();
    let (decoder, embedded) = (decoder(&device), tensor("embedded", &device));
    let [batch, time, _] = embedded.dims();
    assert_eq!(chunks.iter().sum::<usize>(), time);
    let mut cache = decoder.cache(batch, time + 7, None);
    let mut seen = 0;
    let steps = chunks.iter().map(|chunk| {
        let step = embedded.clone().slice_dim(1, seen..seen + chunk);
        seen += chunk;
        decoder.step(step, &mut cache)
    });
    let steps = Tensor::cat(steps.collect(), 1);
    assert_eq!(cache.seen(), time);
    check_close(steps, tensor("hidden", &device));
}

#[test]
fn steps_equal_whole_one_by_one() {
    check_steps_equal_whole(&[1; 150]);
}

#[test]
fn steps_equal_whole_after_a_prompt() {
    check_steps_equal_whole(&[130, 1, 1, 18]);
}

#[test]
fn steps_equal_whole_in_chunks() {
    check_steps_equal_whole(&[1, 2, 140, 7]);
}

#[test]
#[should_panic(expected = "sequences out of step")]
fn sequences_at_different_positions_are_not_joined() {
    let device = Device::default();
    let decoder = decoder(&device);
    let caches = [1, 2].map(|length| {
        let mut cache = decoder.cache(1, 4, None);
        decoder.step(Tensor::zeros([1, length, 16], &device), &mut cache);
        cache
    });
    KvCache::joined(caches.into());
}

#[test]
fn gradients_are_those_of_the_loss() {
    // The derivative along a direction of the input, against a difference of two losses.
    let device = Device::default();
    let decoder = decoder(&device.clone().autodiff());
    let embedded = tensor("embedded", &device);
    let direction = tensor("hidden", &device) * 0.1;
    let loss = |embedded: Tensor<3>| {
        let hidden = decoder.forward(embedded, None);
        (hidden.clone().tanh() * hidden).sum()
    };
    let input = Tensor::from_data(embedded.to_data(), &device.clone().autodiff()).require_grad();
    let gradients = loss(input.clone()).backward();
    let slope = (input.grad(&gradients).unwrap() * direction.clone()).sum().into_scalar::<f32>();

    let at = |step: f32| {
        let moved = (embedded.clone() + direction.clone() * step).to_data();
        loss(Tensor::from_data(moved, &device.clone().autodiff())).into_scalar::<f32>()
    };
    let difference = (at(0.02) - at(-0.02)) / 0.04;
    assert!((slope - difference).abs() < 0.01 * slope.abs(), "{slope} is not {difference}");
}

#[test]
fn weights_get_gradients_everywhere() {
    let device = Device::default().autodiff();
    let decoder = decoder(&device);
    let hidden = decoder.forward(tensor("embedded", &device), None);
    let gradients = hidden.powi_scalar(4).sum().backward();
    let gradients = burn::optim::GradientsParams::from_grads(gradients, &decoder);
    // The table, the last norm, and six tensors in each of two layers.
    assert_eq!(gradients.len(), 2 + 6 * 2);
}

#[test]
fn buckets_are_those_of_t5() {
    let file = "t5_position_bias/position_bias.safetensors";
    let ([n_buckets, heads], table) = read::<2>(file, "table");
    let ([_, _, time, _], expected) = read::<4>(file, "position_bias_40");
    let buckets = Buckets { n_buckets, max_distance: 128, direction: Direction::Bidirectional };
    for (at, expected) in expected.iter().enumerate() {
        let (head, query, key) = (at / (time * time), at / time % time, at % time);
        let bucket = buckets.bucket(key as i64 - query as i64);
        assert_eq!(table[bucket * heads + head], *expected, "head {head}, {query} to {key}");
    }
}

#[test]
fn causal_buckets_are_all_for_the_past() {
    let buckets = Buckets { n_buckets: 32, max_distance: 128, direction: Direction::Causal };
    assert_eq!(buckets.bucket(3), 0);
    assert_eq!(
        [0, -1, -15, -16, -127, -128, -9999].map(|it| buckets.bucket(it)),
        [0, 1, 15, 16, 31, 31, 31]
    );
}

#[track_caller]
fn check_refused(config: DecoderConfig, expected: ConfigError) {
    assert_eq!(config.init(&Device::default()).unwrap_err(), expected);
}

#[test]
fn numbers_that_describe_no_stack_are_named() {
    check_refused(DecoderConfig::new(16, 0, 2, 32), ConfigError::ZeroSize { field: "n_layers" });
    let error = ConfigError::HeadsDoNotDivide { d_model: 16, n_heads: 3 };
    check_refused(DecoderConfig::new(16, 2, 3, 32), error);
    let config = DecoderConfig::new(16, 2, 2, 32);
    check_refused(
        config.clone().with_dropout(1.0),
        ConfigError::Share { field: "dropout", share: 1.0 },
    );
    let error = ConfigError::PositionBuckets { n_buckets: 32, exact: 16, max_distance: 16 };
    check_refused(config.clone().with_max_position_distance(16), error);
    let three = DecoderConfig { n_position_buckets: 3, ..config };
    let found = three.init_bidirectional(&Device::default());
    let error = ConfigError::PositionBuckets { n_buckets: 3, exact: 0, max_distance: 128 };
    assert_eq!(found.unwrap_err(), error);
    let found = DecoderConfig::small().init_bidirectional(&Device::default());
    assert_eq!(found.unwrap_err(), ConfigError::DecoderOnly { field: "position" });
}

#[test]
#[should_panic(expected = "0 + 3 positions exceed capacity 2")]
fn a_full_cache_panics() {
    let device = Device::default();
    let decoder = decoder(&device);
    let mut cache = decoder.cache(1, 2, None);
    decoder.step(Tensor::zeros([1, 3, 16], &device), &mut cache);
}
