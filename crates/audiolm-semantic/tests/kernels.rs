//! What an encoder hears with the kernels of a CPU is what it hears without.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_semantic::{
    Clips, ConvLayerConfig, Encoder, EncoderConfig, FrontEndNorm, HubertConfig, PositionBias,
    presets,
};
use burn::prelude::*;
use burn::tensor::{Distribution, Tolerance};

/// Rounding in other places: features are of the size of 1.
const ROUNDING: f32 = 2e-5;
/// Samples of two clips: more than the front end takes at a time, and few.
const LENGTHS: [usize; 2] = [170_000, 9_000];

/// One with a norm over each clip, one with a norm of each frame and a bias that depends on distances.
fn configs() -> [HubertConfig; 2] {
    let small = HubertConfig {
        conv_layers: vec![
            ConvLayerConfig::new(12, 10, 5),
            ConvLayerConfig::new(16, 8, 8),
            ConvLayerConfig::new(16, 8, 8),
        ],
        d_model: 32,
        n_layers: 2,
        n_heads: 2,
        d_feed_forward: 48,
        position_kernel_size: 16,
        position_groups: 4,
        ..presets::tiny()
    };
    let other = HubertConfig {
        front_end_norm: FrontEndNorm::Frame,
        position_bias: PositionBias::Gated { n_buckets: 16, max_distance: 40 },
        position_kernel_size: 9,
        ..small.clone()
    };
    [small, other]
}

/// The features of each clip's own frames, alone and beside a longer one.
fn features() -> Vec<TensorData> {
    let device = Device::flex();
    let features = configs().into_iter().flat_map(|config| {
        device.seed(7);
        let encoder = Encoder::from(config.init(&device).unwrap());
        let geometry = EncoderConfig::from(&config).geometry();
        let noise = Distribution::Normal(0.02, 0.1);
        let wave = Tensor::<2>::random([2, LENGTHS[0]], noise, &device);
        let both = encoder.features(Clips::of_lengths(wave.clone(), &LENGTHS), 2);
        let own = move |row: usize| {
            let frames = geometry.frames(LENGTHS[row]);
            both.clone().narrow(0, row, 1).narrow(1, 0, frames).into_data()
        };
        let alone = encoder.features(wave.narrow(0, 1, 1).narrow(1, 0, LENGTHS[1]), 2);
        [own(0), own(1), alone.into_data()]
    });
    features.collect()
}

#[test]
fn an_encoder_hears_the_same_with_kernels_as_without() {
    let expected = features();
    audiolm_flex::install();
    let found = features();
    assert_eq!(found.len(), expected.len());
    let tolerance = Tolerance::<f32>::absolute(ROUNDING);
    for (expected, found) in expected.iter().zip(&found) {
        found.assert_approx_eq(expected, tolerance);
    }
}
