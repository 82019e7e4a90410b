//! The encoders with HuBERT's body, the clusters and the MFCCs against other implementations.

use std::path::{Path, PathBuf};

use burn::prelude::*;
use burn::tensor::Tolerance;
use safetensors::SafeTensors;

use crate::{Clips, Clustering, Encoder, EncoderConfig, Hubert, MfccConfig, presets};

/// Rounding alone moves each of transformers' outputs by 8.5e-7 or more when it computes in 32 bits
/// rather than in 64 (the fixtures' manifest); another order of summation is allowed 50 times that.
const ROUNDING: f32 = 50.0 * 8.5e-7;

/// The reference computes in 64 bits; 32 bits move its values, of up to 12.8, by 4.8e-6.
const MFCC_ROUNDING: f32 = 20.0 * 4.8e-6;

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
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

    /// Ones of each row of a mask.
    pub(crate) fn lengths(&self, name: &str, rows: usize) -> Vec<usize> {
        let values = self.integers(name);
        values.chunks_exact(values.len() / rows).map(|it| it.iter().sum::<i64>() as usize).collect()
    }
}

#[track_caller]
pub(crate) fn check_near<const D: usize>(found: Tensor<D>, expected: Tensor<D>, tolerance: f32) {
    let tolerance = Tolerance::<f32>::absolute(tolerance);
    found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
}

/// A fixture's model, and what goes into it.
struct Case {
    hubert: Hubert,
    clips: Clips,
    reference: Reference,
}

impl Case {
    fn load(folder: &str) -> Self {
        let encoder = Encoder::load_from(&fixture(folder), &Device::default()).unwrap();
        let Encoder::Hubert(hubert) = encoder else { panic!("{folder} has HuBERT's body") };
        let reference = Reference::read(&format!("{folder}/reference.safetensors"));
        let wave = reference.floats::<2>("input.waveform");
        let clips = match folder {
            "hubert_large" => {
                Clips::of_lengths(wave, &reference.lengths("input.attention_mask", 2))
            }
            _ => wave.into(),
        };
        Self { hubert, clips, reference }
    }

    /// Compares what each clip gives, up to its end.
    #[track_caller]
    fn check(&self, name: &str, found: Tensor<3>) {
        let expected = self.reference.floats::<3>(&format!("output.{name}"));
        assert_eq!(found.dims(), expected.dims(), "{name}");
        for (row, samples) in self.clips.lengths().into_iter().enumerate() {
            let frames = self.hubert.geometry().frames(samples);
            let own = |it: &Tensor<3>| it.clone().narrow(0, row, 1).slice_dim(1, ..frames);
            check_near(own(&found), own(&expected), ROUNDING);
        }
    }

    /// Compares what leaves a convolution; what lies beyond a clip's end is masked much later.
    #[track_caller]
    fn check_convolution(&self, layer: usize) {
        // The fixture's waves are scaled already.
        let found = self.hubert.front_end.after(layer + 1, &self.clips);
        let expected = self.reference.floats::<3>(&format!("output.conv.{layer}"));
        check_near(found.swap_dims(1, 2), expected, ROUNDING);
    }

    #[track_caller]
    fn check_all(&self, convolutions: &[usize]) {
        convolutions.iter().for_each(|it| self.check_convolution(*it));
        let input = self.hubert.project(&self.clips);
        self.check("feature_projection", input.frames.clone());
        let silenced = match &input.mask {
            Some(mask) => mask.silenced(input.frames),
            None => input.frames,
        };
        self.check("pos_conv_embed", self.hubert.encoder.position.forward(silenced));
        for layer in 0..=3 {
            let found = self.hubert.features(self.clips.clone(), layer);
            self.check(&format!("hidden_states.{layer}"), found);
        }
        self.check("last_hidden_state", self.hubert.output(self.clips.clone()));
    }
}

#[test]
fn hubert_base_is_that_of_transformers() {
    Case::load("hubert_base").check_all(&[0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn hubert_large_is_that_of_transformers_for_clips_of_two_lengths() {
    Case::load("hubert_large").check_all(&[0, 3, 6]);
}

#[test]
fn wav2vec2_is_that_of_transformers() {
    Case::load("wav2vec2_base").check_all(&[0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn wavlm_is_that_of_transformers() {
    Case::load("wavlm_base").check_all(&[6]);
}

#[test]
fn distances_have_the_biases_of_wavlm() {
    let Case { hubert, reference, .. } = Case::load("wavlm_base");
    let distances = hubert.encoder.distances.as_ref().unwrap();
    let equal = |found: Tensor<3>, name: &str| {
        check_near(found, reference.floats(&format!("output.{name}")), 0.0);
    };
    equal(distances.forward(99), "layer0.position_bias");
    let far = distances.forward(900);
    equal(far.clone().narrow(1, 0, 1), "position_bias_ahead_900");
    equal(far.narrow(2, 0, 1), "position_bias_behind_900");
}

#[test]
fn the_gate_is_that_of_wavlm() {
    let Case { hubert, clips, reference } = Case::load("wavlm_base");
    let hidden = hubert.features(clips, 0);
    let [batch, time, d_model] = hidden.dims();
    let heads = hidden.reshape([batch, time, 4, d_model / 4]).swap_dims(1, 2);
    let gate = hubert.encoder.layers[0].attention.gate.as_ref().unwrap().forward(heads);
    let bias = hubert.encoder.distances.as_ref().unwrap().forward(time).unsqueeze();
    let found = (gate * bias).squeeze_dim::<3>(0).narrow(2, 0, 10);
    check_near(found, reference.floats("output.layer0.gated_position_bias_10"), ROUNDING);
}

#[test]
fn layers_of_one_pass_are_those_of_transformers() {
    let case = Case::load("hubert_base");
    let mut layers = case.hubert.features_of_layers(case.clips.clone(), &[3, 2]);
    case.check("hidden_states.2", layers.remove(1));
}

#[test]
fn layers_above_a_truncation_change_nothing() {
    let case = Case::load("hubert_base");
    let found = case.hubert.clone().truncated(1).features(case.clips.clone(), 1);
    case.check("hidden_states.1", found);
}

#[test]
fn configurations_of_transformers_are_ours() {
    let config = |folder: &str| EncoderConfig::load_from(&fixture(folder)).unwrap();
    let narrow = |config: crate::HubertConfig| {
        let mut config = crate::HubertConfig {
            d_model: 48,
            n_layers: 3,
            n_heads: 4,
            d_feed_forward: 96,
            ..config
        };
        config.conv_layers.iter_mut().for_each(|it| it.channels = 16);
        EncoderConfig::from(config)
    };
    assert_eq!(config("hubert_base"), narrow(presets::base()));
    assert_eq!(config("hubert_large"), narrow(presets::hubert_large()));
    assert_eq!(config("wav2vec2_base"), narrow(presets::wav2vec2_base()));
    assert_eq!(config("wavlm_base"), narrow(presets::wavlm_base()));
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
    let found = mfcc.forward(reference.floats("input.wave"));
    check_near(found, reference.floats("output.mfcc"), MFCC_ROUNDING);
}
