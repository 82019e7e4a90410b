//! The encoder, the clusters and the MFCCs against other implementations.

use std::path::{Path, PathBuf};

use burn::prelude::*;
use burn::tensor::Tolerance;
use safetensors::SafeTensors;

use crate::{
    Clustering, ConvLayerConfig, Hubert, HubertConfig, MfccConfig, load_transformers, presets,
};

/// Rounding alone moves transformers' outputs by up to 4.0e-6 when it computes in 32 bits rather
/// than in 64 (the fixture's manifest); another order of summation is allowed 20 times that.
const ROUNDING: f32 = 20.0 * 4.0e-6;

/// The reference computes in 64 bits; 32 bits move its values, of up to 12.8, by 4.8e-6.
const MFCC_ROUNDING: f32 = 20.0 * 4.8e-6;

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The configuration of the fixture's model: HuBERT base with few channels and layers.
pub(crate) fn fixture_config() -> HubertConfig {
    let base = presets::base();
    let narrow = |it: &ConvLayerConfig| ConvLayerConfig { channels: 16, ..it.clone() };
    HubertConfig {
        conv_layers: base.conv_layers.iter().map(narrow).collect(),
        d_model: 48,
        n_layers: 3,
        n_heads: 4,
        d_feed_forward: 96,
        ..base
    }
}

pub(crate) struct Reference(Vec<u8>);

impl Reference {
    pub(crate) fn read(name: &str) -> Self {
        Self(std::fs::read(fixture(name)).unwrap())
    }

    pub(crate) fn floats<const D: usize>(&self, name: &str) -> Tensor<D> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let view = tensors.tensor(name).unwrap();
        let values = view.data().chunks_exact(4);
        let values: Vec<f32> =
            values.map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
        let data = TensorData::new(values, view.shape().to_vec());
        Tensor::from_data(data, &Device::default())
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<i64> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let values = tensors.tensor(name).unwrap().data().chunks_exact(8);
        values.map(|it| i64::from_le_bytes(it.try_into().unwrap())).collect()
    }
}

#[track_caller]
fn check(expected: &str, output: impl Fn(&Hubert, Tensor<2>) -> Tensor<3>) {
    let path = fixture("hubert_base/model.safetensors");
    let hubert = load_transformers(&fixture_config(), &path, &Device::default()).unwrap();
    let reference = Reference::read("hubert_base/reference.safetensors");
    let found = output(&hubert, reference.floats("input.waveform"));
    let expected = reference.floats::<3>(&format!("output.{expected}"));
    found.into_data().assert_approx_eq(&expected.into_data(), Tolerance::<f32>::absolute(ROUNDING));
}

fn after_convolutions(hubert: &Hubert, wave: Tensor<2>, n: usize) -> Tensor<3> {
    let layers = &hubert.front_end.layers[..n];
    let features = layers.iter().fold(wave.unsqueeze_dim(2), |features, it| it.forward(features));
    features.swap_dims(1, 2)
}

#[test]
fn each_convolution_is_that_of_transformers() {
    for layer in 0..7 {
        check(&format!("conv.{layer}"), |hubert, wave| after_convolutions(hubert, wave, layer + 1));
    }
}

#[test]
fn the_projection_is_that_of_transformers() {
    check("feature_projection", |hubert, wave| {
        hubert.projection.forward(hubert.front_end.forward(wave))
    });
}

#[test]
fn the_positional_convolution_is_that_of_transformers() {
    check("pos_conv_embed", |hubert, wave| {
        let projected = hubert.projection.forward(hubert.front_end.forward(wave));
        hubert.encoder.position.forward(projected)
    });
}

#[test]
fn each_layer_is_that_of_transformers() {
    for layer in 0..=3 {
        check(&format!("hidden_states.{layer}"), |hubert, wave| hubert.features(wave, layer));
    }
}

#[test]
fn layers_of_one_pass_are_those_of_transformers() {
    check("hidden_states.2", |hubert, wave| hubert.features_of_layers(wave, &[3, 2]).remove(1));
}

#[test]
fn layers_above_a_truncation_change_nothing() {
    check("hidden_states.1", |hubert, wave| hubert.clone().truncated(1).features(wave, 1));
}

#[test]
fn cluster_ids_are_those_of_scikit_learn() {
    let centroids = Reference::read("kmeans/model.safetensors").floats("cluster_centers");
    let reference = Reference::read("kmeans/reference.safetensors");
    let features = reference.floats::<2>("input.features").unsqueeze();
    let ids = Clustering::from_centroids(centroids).assign(features);
    let ids = ids.try_into_vec_as::<i64>().unwrap();
    assert_eq!(ids, reference.integers("output.cluster_ids"));
}

#[test]
fn mfccs_are_those_of_scipy() {
    let reference = Reference::read("mfcc/reference.safetensors");
    let mfcc = MfccConfig::new().init(presets::base().geometry(), &Device::default());
    let found = mfcc.forward(reference.floats("input.wave")).into_data();
    let expected = reference.floats::<3>("output.mfcc").into_data();
    found.assert_approx_eq(&expected, Tolerance::<f32>::absolute(MFCC_ROUNDING));
}
