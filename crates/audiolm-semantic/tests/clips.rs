//! Clips of several lengths in one batch give what each gives alone.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::sync::{Mutex, PoisonError};

use audiolm_nn::generator;
use audiolm_semantic::{
    Clips, Clustering, ConformerConfig, Encoder, EncoderConfig, FrontEndNorm, HubertConfig,
    NormPlacement, PositionBias, SemanticTokenizer, WaveScale, WindowConfig, presets,
};
use burn::prelude::*;
use burn::tensor::{Distribution, Tolerance};

/// Sums over more terms, some of them zero, in another order; features are of magnitude 1.
const ROUNDING: f32 = 5e-5;
const LENGTHS: [usize; 3] = [8000, 5440, 1300];
const HOP: usize = 320;
const N_CLUSTERS: usize = 8;

/// Weights and noise are drawn from the device's generator, which all threads share.
static DRAWING: Mutex<()> = Mutex::new(());

fn hubert() -> HubertConfig {
    HubertConfig { d_model: 32, n_layers: 2, d_feed_forward: 64, ..presets::tiny() }
}

fn conformer() -> ConformerConfig {
    ConformerConfig { frames_before: 5, frames_after: 3, ..ConformerConfig::new(32, 2, 4, 64) }
        .with_dropout(0.0)
}

/// Noise, not zero beyond the clips' ends.
fn noise(clips: usize, samples: usize) -> Tensor<2> {
    drawn(|device| Tensor::random([clips, samples], Distribution::Normal(0.2, 0.1), device))
}

fn encoder(config: &EncoderConfig) -> Encoder {
    drawn(|device| {
        let encoder = config.init(device).unwrap();
        // Weights are drawn when they are first needed.
        encoder.features(Tensor::<2>::ones([1, LENGTHS[0]], device), encoder.n_layers());
        encoder
    })
}

fn drawn<T>(draw: impl FnOnce(&Device) -> T) -> T {
    let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    let device = Device::default();
    device.seed(0);
    draw(&device)
}

#[track_caller]
fn check_alone(config: impl Into<EncoderConfig>) {
    let config = config.into();
    let encoder = encoder(&config);
    let wave = noise(3, LENGTHS[0]);
    let together = encoder.features(Clips::of_lengths(wave.clone(), &LENGTHS), 2);
    for (row, samples) in LENGTHS.into_iter().enumerate() {
        let clip = wave.clone().narrow(0, row, 1).slice_dim(1, ..samples);
        let alone = encoder.features(clip, 2).into_data();
        let frames = config.geometry().frames(samples);
        let found = together.clone().narrow(0, row, 1).slice_dim(1, ..frames).into_data();
        found.assert_approx_eq(&alone, Tolerance::<f32>::absolute(ROUNDING));
    }
}

#[test]
fn with_a_norm_over_the_clip() {
    check_alone(hubert());
}

#[test]
fn with_norms_over_frames_and_scaled_waves() {
    check_alone(HubertConfig {
        front_end_norm: FrontEndNorm::Frame,
        conv_bias: true,
        norm_placement: NormPlacement::Before,
        wave_scale: WaveScale::UnitVariance,
        ..hubert()
    });
}

#[test]
fn with_gated_distances() {
    let position_bias = PositionBias::Gated { n_buckets: 8, max_distance: 20 };
    check_alone(HubertConfig { position_bias, ..hubert() });
}

#[test]
fn with_a_conformer() {
    check_alone(conformer());
}

fn tokenizer(config: impl Into<EncoderConfig>) -> SemanticTokenizer {
    let config = config.into();
    let encoder = encoder(&config);
    let points = encoder.features(noise(1, 16_000), 2).flatten(0, 1);
    let clustering = Clustering::fit(points, N_CLUSTERS, 5, &mut generator(0, "k-means", 0));
    let windows = WindowConfig::new().with_frames(20).with_context_frames(5);
    let tokenizer = SemanticTokenizer::new(&config, encoder, 2, clustering).unwrap();
    tokenizer.with_windows(windows).unwrap()
}

#[track_caller]
fn check_tokens(config: impl Into<EncoderConfig>, lengths: &[usize]) {
    let tokenizer = tokenizer(config);
    let wave = noise(lengths.len(), *lengths.iter().max().unwrap());
    let together = tokenizer.frame_ids(Clips::of_lengths(wave.clone(), lengths));
    for (row, samples) in lengths.iter().copied().enumerate() {
        let clip = wave.clone().narrow(0, row, 1).slice_dim(1, ..samples);
        assert_eq!(together[row], tokenizer.frame_ids(clip)[0], "clip {row}");
        assert_eq!(together[row].len(), samples / HOP, "clip {row}");
    }
}

#[test]
fn as_tokens_of_one_window() {
    check_tokens(hubert(), &[20 * HOP, 7 * HOP + 100]);
    check_tokens(conformer(), &[20 * HOP, 7 * HOP + 100]);
}

#[test]
fn as_tokens_of_several_windows() {
    check_tokens(hubert(), &[33 * HOP, 50 * HOP, 7 * HOP + 5]);
    check_tokens(conformer(), &[33 * HOP, 50 * HOP, 7 * HOP + 5]);
}

#[test]
fn as_tokens_where_one_is_too_short_for_any() {
    check_tokens(hubert(), &[33 * HOP, HOP - 1]);
}
