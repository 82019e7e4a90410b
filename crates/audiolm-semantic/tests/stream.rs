//! A wave in chunks gives the ids of the whole.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_nn::generator;
use audiolm_semantic::{
    Clustering, ConformerConfig, EncoderConfig, HubertConfig, SemanticError, SemanticTokenizer,
    WindowConfig, presets,
};
use burn::prelude::*;
use burn::tensor::Distribution;
use proptest::prelude::*;

const HOP: usize = 320;
const N_CLUSTERS: usize = 8;

fn hubert() -> EncoderConfig {
    HubertConfig { d_model: 32, n_layers: 1, d_feed_forward: 64, ..presets::tiny() }.into()
}

fn conformer() -> EncoderConfig {
    ConformerConfig::new(32, 1, 4, 64).with_dropout(0.0).into()
}

fn noise(samples: usize) -> Tensor<2> {
    Tensor::random([1, samples], Distribution::Normal(0.0, 0.1), &Device::default())
}

/// Clusters of noise, in windows of 20 frames of which 8 before and 3 after are context.
fn tokenizer(config: EncoderConfig, frames_per_id: usize) -> SemanticTokenizer {
    let encoder = config.init(&Device::default()).unwrap();
    let points = encoder.features(noise(16_000), 1).flatten(0, 1);
    let clustering = Clustering::fit(points, N_CLUSTERS, 5, &mut generator(0, "k-means", 0));
    let windows = WindowConfig::new().with_frames(20).with_context_frames(8).with_ahead_frames(3);
    let tokenizer = SemanticTokenizer::new(config, encoder, 1, clustering).unwrap();
    tokenizer.with_windows(windows).unwrap().with_frames_per_id(frames_per_id).unwrap()
}

fn samples(wave: &Tensor<2>) -> Vec<f32> {
    wave.clone().try_into_vec_as().unwrap()
}

/// Cuts the wave into chunks and compares; no id is later than promised.
fn check(tokenizer: &SemanticTokenizer, wave: &Tensor<2>, cuts: &[usize]) {
    let samples = samples(wave);
    let (mut stream, mut found, mut left) = (tokenizer.stream(), Vec::new(), &samples[..]);
    for cut in cuts.iter().cycle() {
        if left.is_empty() {
            break;
        }
        let (now, later) = left.split_at(left.len().min(*cut));
        found.extend(stream.push(now));
        left = later;
        let heard = samples.len() - left.len();
        let due = (heard + HOP).saturating_sub(tokenizer.latency_samples()) / HOP;
        assert!(found.len() >= due, "{} of {due} ids after {heard} samples", found.len());
    }
    found.extend(stream.finish());
    assert_eq!(found, tokenizer.frame_ids(wave.clone()).remove(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_are_the_whole(
        n_samples in 0usize..30_000,
        cuts in prop::collection::vec(1usize..9_000, 1..6),
        frames_per_id in 1usize..4,
        is_hubert: bool,
    ) {
        let config = if is_hubert { hubert() } else { conformer() };
        check(&tokenizer(config, frames_per_id), &noise(n_samples), &cuts);
    }
}

#[test]
fn frames_of_an_id_have_it_in_common() {
    let each = tokenizer(hubert(), 1);
    let pairs = each.clone().with_frames_per_id(2).unwrap();
    let wave = noise(51 * HOP);
    let ids = pairs.frame_ids(wave.clone()).remove(0);
    assert_eq!(ids.len(), 51);
    assert!(ids.chunks(2).all(|it| it.iter().all(|id| *id == it[0])));
    assert_ne!(ids, each.frame_ids(wave.clone()).remove(0));

    // They are the ids of the means, which are what is clustered.
    let features = pairs.features(wave);
    let expected: Vec<u32> = pairs.clustering().assign(features).try_into_vec_as().unwrap();
    assert_eq!(ids, expected);
}

#[test]
fn a_batch_of_pairs_is_its_clips() {
    let tokenizer = tokenizer(hubert(), 2);
    let clips = Tensor::cat(vec![noise(33 * HOP), noise(33 * HOP)], 0);
    let alone = |row| tokenizer.frame_ids(clips.clone().narrow(0, row, 1)).remove(0);
    assert_eq!(tokenizer.frame_ids(clips.clone()), [0, 1].map(alone));
}

#[test]
fn pairs_survive_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (saved, wave) = (tokenizer(hubert(), 2), noise(40 * HOP));
    saved.save(folder.path(), audiolm_nn::Precision::Full).unwrap();
    let loaded = SemanticTokenizer::load(folder.path(), &Device::default()).unwrap();
    assert_eq!(loaded.config(), saved.config());
    assert_eq!(loaded.frame_ids(wave.clone()), saved.frame_ids(wave));
}

#[test]
fn an_id_needs_a_frame_and_a_window_room() {
    let refused = |n| tokenizer(hubert(), 1).with_frames_per_id(n).unwrap_err();
    assert!(matches!(refused(0), SemanticError::NoFrameOfAnId));
    assert!(matches!(refused(10), SemanticError::WindowTooShort { .. }));
}
