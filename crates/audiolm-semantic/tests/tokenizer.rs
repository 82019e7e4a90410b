//! The tokenizer as a whole, with random weights.

use audiolm_nn::{Precision, generator};
use audiolm_semantic::{
    Clustering, ConformerConfig, HubertConfig, SemanticError, SemanticTokenizer,
    SemanticTokenizerConfig, TappedLayers, WindowConfig, presets,
};
use burn::prelude::*;
use burn::tensor::Distribution;

/// Layer that is tapped, of the three that the encoder has.
const LAYER: usize = 2;
const HOP: usize = 320;

fn config() -> HubertConfig {
    HubertConfig { d_model: 32, n_layers: 3, d_feed_forward: 64, ..presets::tiny() }
}

fn noise(clips: usize, samples: usize) -> Tensor<2> {
    Tensor::random([clips, samples], Distribution::Normal(0.0, 0.1), &Device::default())
}

/// A tokenizer whose eight clusters are fitted to noise.
fn tokenizer() -> SemanticTokenizer {
    let encoder = config().init(&Device::default()).expect("the numbers describe a model");
    let points = encoder.features(noise(1, 16_000), LAYER).flatten(0, 1);
    let clustering = Clustering::fit(points, 8, 5, &mut generator(0, "k-means", 0));
    SemanticTokenizer::new(config(), encoder, LAYER, clustering).expect("all parts fit")
}

#[test]
fn whole_hops_are_frames() {
    let tokenizer = tokenizer();
    for (samples, frames) in [(HOP - 1, 0), (HOP, 1), (7 * HOP, 7), (8 * HOP - 1, 7)] {
        assert_eq!(tokenizer.tokenize(noise(1, samples))[0].n_frames(), frames, "{samples}");
    }
}

#[test]
fn a_batch_gives_the_tokens_of_its_clips() {
    let tokenizer = tokenizer();
    let clips = noise(3, 40 * HOP);
    let single = |it| tokenizer.tokenize(clips.clone().narrow(0, it, 1)).remove(0);
    assert_eq!(tokenizer.tokenize(clips.clone()), [0, 1, 2].map(single));
}

#[test]
fn a_tokenizer_survives_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (saved, wave) = (tokenizer(), noise(1, 50 * HOP));
    saved.save(folder.path(), Precision::Full).unwrap();
    let loaded = SemanticTokenizer::load(folder.path(), &Device::default()).unwrap();
    assert_eq!(loaded.tokenize(wave.clone()), saved.tokenize(wave));
    assert_eq!(loaded.layer(), LAYER);
}

#[test]
fn layers_side_by_side_survive_the_disk() {
    let layers = TappedLayers { top: LAYER, beside: vec![0, 1] };
    let encoder = config().init(&Device::default()).unwrap().into();
    let wave = noise(1, 50 * HOP);
    let features = layers.features(&encoder, wave.clone());
    for (index, layer) in [0, 1, LAYER].into_iter().enumerate() {
        let part = features.clone().narrow(2, index * 32, 32);
        let expected = encoder.features(wave.clone(), layer).into_data();
        part.into_data().assert_eq(&expected, true);
    }
    let points = features.flatten(0, 1);
    let clustering = Clustering::fit(points, 8, 5, &mut generator(0, "k-means", 0));
    let saved = SemanticTokenizer::new(config(), encoder, layers.clone(), clustering).unwrap();
    let folder = tempfile::tempdir().unwrap();
    saved.save(folder.path(), Precision::Full).unwrap();
    let loaded = SemanticTokenizer::load(folder.path(), &Device::default()).unwrap();
    assert_eq!(loaded.tokenize(wave.clone()), saved.tokenize(wave));
    assert_eq!(loaded.config().layers(), layers);
    assert_eq!(layers.to_string(), "0 + 1 + 2");
}

#[test]
fn a_layer_beside_the_tapped_one_is_below_it() {
    let layers = TappedLayers { top: 1, beside: vec![0, 1] };
    let expected = "layer 1 is to be tapped beside layer 1; expected one below it";
    assert_eq!(layers.validate(3).unwrap_err().to_string(), expected);
}

#[test]
fn weights_of_another_configuration_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    tokenizer().save(folder.path(), Precision::Full).unwrap();
    let path = folder.path().join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"n_clusters\": 8", "\"n_clusters\": 9")).unwrap();
    let error = SemanticTokenizer::load(folder.path(), &Device::default()).unwrap_err();
    assert!(matches!(&error, SemanticError::Weights(_)), "{error}");
    assert!(error.to_string().contains("centroids"), "{error}");
}

#[test]
fn another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    tokenizer().save(folder.path(), Precision::Full).unwrap();
    let path = folder.path().join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"version\": 1", "\"version\": 2")).unwrap();
    let error = SemanticTokenizer::load(folder.path(), &Device::default()).unwrap_err();
    assert!(matches!(error, SemanticError::Version { expected: 1, found: 2, .. }), "{error}");
}

#[test]
fn configurations_from_before_there_were_other_encoders_are_kept() {
    let written = include_str!("fixtures/tokenizer_config/config.json");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), written).unwrap();
    let config = SemanticTokenizerConfig::load_from(folder.path()).unwrap();
    let expected = HubertConfig { n_layers: 3, ..presets::tiny() };
    assert_eq!(config.encoder, expected.into());
    config.save(folder.path().join("saved.json")).unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("saved.json")).unwrap(), written);
}

#[test]
fn a_tokenizer_with_a_conformer_survives_the_disk() {
    let config = ConformerConfig::new(32, 2, 4, 64).with_dropout(0.0);
    let encoder = config.init(&Device::default()).unwrap();
    let points = encoder.features(noise(1, 16_000), 1).flatten(0, 1);
    let clustering = Clustering::fit(points, 8, 5, &mut generator(0, "k-means", 0));
    let saved = SemanticTokenizer::new(&config, encoder, 1, clustering).unwrap();
    let (folder, wave) = (tempfile::tempdir().unwrap(), noise(1, 50 * HOP));
    saved.save(folder.path(), Precision::Full).unwrap();
    let loaded = SemanticTokenizer::load(folder.path(), &Device::default()).unwrap();
    assert_eq!(loaded.tokenize(wave.clone()), saved.tokenize(wave));
}

#[test]
fn a_missing_layer_is_refused() {
    let encoder = config().init(&Device::default()).unwrap();
    let clustering = Clustering::from_centroids(Tensor::zeros([4, 32], &Device::default()));
    let error = SemanticTokenizer::new(config(), encoder, 4, clustering).unwrap_err();
    assert!(matches!(error, SemanticError::NoSuchLayer { found: 4, n_layers: 3 }), "{error}");
}

#[test]
fn clusters_of_another_width_are_refused() {
    let encoder = config().init(&Device::default()).unwrap();
    let clustering = Clustering::from_centroids(Tensor::zeros([4, 39], &Device::default()));
    let error = SemanticTokenizer::new(config(), encoder, LAYER, clustering).unwrap_err();
    assert!(matches!(error, SemanticError::FeatureWidth { expected: 32, found: 39 }), "{error}");
}

#[test]
fn windows_change_few_frames() {
    let whole = tokenizer();
    let wave = noise(1, 200 * HOP);
    let in_one_piece = whole.frame_ids(wave.clone()).remove(0);
    let windows = WindowConfig::new().with_frames(100).with_context_frames(25);
    let in_windows = whole.with_windows(windows).unwrap().frame_ids(wave).remove(0);
    assert_eq!(in_windows.len(), in_one_piece.len());
    let equal = in_windows.iter().zip(&in_one_piece).filter(|(a, b)| a == b).count();
    assert!(equal > 150, "{equal} of 200 frames");
}
