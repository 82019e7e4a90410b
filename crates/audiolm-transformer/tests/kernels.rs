//! A decoder with the kernels of the CPU backend: its steps are the whole, however narrow its weights.

// Clippy's leave for tests ends at their helpers.
#![allow(clippy::unwrap_used)]

use audiolm_nn::Weights;
use audiolm_transformer::{Decoder, DecoderConfig};
use burn::prelude::*;
use burn::tensor::Distribution;

/// Single precision over three layers, in another order.
const ROUNDING: f32 = 1e-4;

fn decoder(weights: Weights) -> Decoder {
    audiolm_flex::install();
    let device = Device::flex();
    device.seed(1);
    let config = DecoderConfig::new(96, 3, 4, 160).with_dropout(0.0);
    config.init(&device).unwrap().with_weights(weights)
}

fn embedded(batch: usize) -> Tensor<3> {
    Device::flex().seed(2);
    Tensor::random([batch, 150, 96], Distribution::Normal(0.0, 1.0), &Device::flex())
}

/// The greatest difference between two hidden states.
fn error(found: Tensor<3>, expected: Tensor<3>) -> f32 {
    (found - expected).abs().max().into_scalar()
}

/// The hidden states after chunks of these lengths.
fn stepwise(decoder: &Decoder, embedded: &Tensor<3>, chunks: &[usize]) -> Tensor<3> {
    let [batch, time, _] = embedded.dims();
    let mut cache = decoder.cache(batch, time, None);
    let mut seen = 0;
    let steps = chunks.iter().map(|chunk| {
        seen += chunk;
        decoder.step(embedded.clone().slice_dim(1, seen - chunk..seen), &mut cache)
    });
    Tensor::cat(steps.collect(), 1)
}

#[track_caller]
fn check(weights: Weights, batch: usize, chunks: &[usize]) {
    let (decoder, embedded) = (decoder(weights), embedded(batch));
    let steps = stepwise(&decoder, &embedded, chunks);
    let error = error(steps, decoder.forward(embedded, None));
    assert!(error < ROUNDING, "{error}");
}

#[test]
fn steps_are_the_whole() {
    for weights in Weights::ALL {
        check(weights, 1, &[1; 150]);
        check(weights, 4, &[1; 150]);
        check(weights, 1, &[100, 7, 1, 40, 2]);
        check(weights, 20, &[148, 1, 1]);
    }
}

#[test]
fn a_sequence_is_the_same_to_the_bit_whatever_stands_beside_it() {
    for weights in Weights::ALL {
        let (decoder, embedded) = (decoder(weights), embedded(5));
        let together = stepwise(&decoder, &embedded, &[1; 150]);
        for row in 0..5 {
            let of = |it: &Tensor<3>| it.clone().slice_dim(0, row..row + 1);
            let alone = stepwise(&decoder, &of(&embedded), &[1; 150]);
            assert_eq!(alone.into_data(), of(&together).into_data(), "{weights:?}, row {row}");
        }
    }
}

#[test]
fn eight_bits_are_not_far_from_all() {
    let (embedded, decoder) = (embedded(1), decoder(Weights::Float32));
    let [full, narrow] =
        Weights::ALL.map(|it| decoder.clone().with_weights(it).forward(embedded.clone(), None));
    let size = full.clone().abs().max().into_scalar::<f32>();
    let share = error(narrow, full) / size;
    assert!((1e-4..0.03).contains(&share), "{share}");
}
