//! Stacks other than the paper's against PyTorch.

// Clippy's leave for tests ends at their helpers.
#![allow(clippy::unwrap_used)]

mod golden;

use audiolm_nn::load_weights;
use audiolm_transformer::{
    Condition, ConditionConfig, Conditioning, Conditions, Decoder, DecoderConfig, FeedForward,
    PositionScheme,
};
use burn::prelude::*;
use golden::{check_close, fixture, read, tensor};

const D_CONDITION: usize = 10;

/// The choices of one of the stacks of `decoder_options/make.py`.
fn config(by: Conditioning) -> DecoderConfig {
    let condition = Some(ConditionConfig::new(D_CONDITION, by));
    let config = DecoderConfig {
        d_head: Some(6),
        condition,
        ..DecoderConfig::new(16, 2, 4, 24).with_dropout(0.0)
    };
    match by {
        Conditioning::CrossAttention => DecoderConfig {
            position: PositionScheme::Rotary,
            n_kv_heads: Some(2),
            query_key_norm: true,
            feed_forward: FeedForward::Gated,
            ..config
        },
        Conditioning::Prefix => DecoderConfig { n_kv_heads: Some(1), ..config },
    }
}

fn name(by: Conditioning) -> &'static str {
    match by {
        Conditioning::CrossAttention => "decoder_options/crossed",
        Conditioning::Prefix => "decoder_options/prefixed",
    }
}

fn decoder(by: Conditioning, device: &Device) -> Decoder {
    let weights = fixture(&format!("{}.safetensors", name(by)));
    load_weights(config(by).init(device).unwrap(), &weights).unwrap()
}

fn conditions(decoder: &Decoder, reference: &str) -> Option<Conditions> {
    let condition = |name| {
        let (_, vectors) = read::<2>(reference, name);
        Condition::new(vectors, D_CONDITION).unwrap()
    };
    let told = [condition("condition.0"), condition("condition.1")];
    decoder.conditions(&[Some(&told[0]), Some(&told[1]), None]).unwrap()
}

#[track_caller]
fn check(by: Conditioning) {
    let device = Device::default();
    let decoder = decoder(by, &device);
    let reference = format!("{}_reference.safetensors", name(by));
    let conditions = conditions(&decoder, &reference);
    let embedded = tensor(&reference, "embedded", &device);
    let expected = tensor(&reference, "hidden", &device);
    check_close(decoder.forward(embedded.clone(), conditions.as_ref()), expected.clone());

    let [batch, time, _] = embedded.dims();
    let mut cache = decoder.cache(batch, time, conditions.as_ref());
    let steps = [0..130, 130..131, 131..132, 132..time]
        .map(|it| decoder.step(embedded.clone().slice_dim(1, it), &mut cache));
    check_close(Tensor::cat(steps.into(), 1), expected);
}

#[test]
fn rotary_grouped_normed_gated_and_crossed_equals_pytorch() {
    check(Conditioning::CrossAttention);
}

#[test]
fn biased_multi_query_and_prefixed_equals_pytorch() {
    check(Conditioning::Prefix);
}
