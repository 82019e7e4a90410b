//! Against transformers' `EncodecModel`.

use burn::prelude::*;
use safetensors::{SafeTensors, tensor::TensorView};

use super::*;
use crate::parity::{Reference, check_close, check_codes, fixture};

const FIXTURE: &str = "encodec_24khz";

/// Rounding alone moves transformers' outputs by up to 3.4e-7 when it computes in 32 bits rather
/// than in 64 (the fixture's manifest); another order of summation is allowed 30 times that.
const ROUNDING: f32 = 30.0 * 3.4e-7;

fn codec() -> EnCodec {
    EnCodec::load_from(&fixture(FIXTURE), &Device::default()).unwrap()
}

fn config() -> EnCodecConfig {
    EnCodecConfig::of(&HubConfig::load(&fixture(FIXTURE).join(CONFIG_FILE)).unwrap()).unwrap()
}

#[track_caller]
fn check_layers(network: &Seanet, part: &str, input: Tensor<3>, layers: &[usize]) {
    let reference = Reference::of(FIXTURE);
    let trace = network.trace(input);
    for layer in layers {
        reference.check(&format!("output.{part}.{layer}"), trace[*layer].clone(), ROUNDING);
    }
}

/// The codec read from the fixture's tensors under other names, or without those that get none.
fn renamed(name: impl Fn(&str) -> Option<String>) -> Result<EnCodec, CodecError> {
    let bytes = std::fs::read(fixture(FIXTURE).join(WEIGHTS_FILE)).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let named: Vec<(String, TensorView)> =
        tensors.iter().filter_map(|(theirs, view)| Some((name(theirs)?, view))).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(WEIGHTS_FILE);
    std::fs::write(&path, safetensors::serialize(named, None).unwrap()).unwrap();
    EnCodec::read(&config(), &path, &Device::default())
}

#[track_caller]
fn check_refused(name: impl Fn(&str) -> Option<String>, expected: &str) {
    let error = renamed(name).unwrap_err().to_string();
    assert!(error.contains(expected) && error.contains(WEIGHTS_FILE), "{error}");
}

#[test]
fn every_layer_of_the_encoder_is_the_reference() {
    let wave = Reference::of(FIXTURE).floats("input.waveform");
    check_layers(&codec().encoder, "encoder", wave, &[6, 9, 12, 13]);
}

#[test]
fn every_layer_of_the_decoder_is_the_reference() {
    let quantized = Reference::of(FIXTURE).floats("output.quantized");
    check_layers(&codec().decoder, "decoder", quantized, &[0, 1, 3, 6]);
}

#[test]
fn what_is_quantized_is_the_reference() {
    let reference = Reference::of(FIXTURE);
    let wave = reference.floats("input.waveform");
    let embeddings = codec().encoder.step(wave, &mut SeanetState::default());
    reference.check("output.embeddings", embeddings, ROUNDING);
    let quantized = codec().codebooks.decode(reference.codes("output.codes.8"));
    reference.check("output.quantized", quantized, ROUNDING);
}

#[test]
fn codes_and_waves_are_the_reference_at_every_bandwidth() {
    let (reference, codec) = (Reference::of(FIXTURE), codec());
    let codes = codec.encode(reference.floats("input.waveform"));
    for n in [2, 4, 8] {
        let leading = codes.clone().slice_dim(1, ..n);
        check_codes(leading.clone(), reference.codes(&format!("output.codes.{n}")));
        reference.check(&format!("output.audio.{n}"), codec.decode(leading), ROUNDING);
    }
}

#[test]
fn the_older_names_of_weight_norm_are_the_same() {
    let older = |name: &str| {
        let name = name.replace("parametrizations.weight.original0", "weight_g");
        Some(name.replace("parametrizations.weight.original1", "weight_v"))
    };
    let reference = Reference::of(FIXTURE);
    let codes = renamed(older).unwrap().encode(reference.floats("input.waveform"));
    check_codes(codes, reference.codes("output.codes.8"));
}

#[test]
fn a_model_that_normalises_hears_every_loudness_alike() {
    let mut config = config();
    config.normalize = true;
    let path = fixture(FIXTURE).join(WEIGHTS_FILE);
    let normalizing = EnCodec::read(&config, &path, &Device::default()).unwrap();
    let wave: Tensor<3> = Reference::of(FIXTURE).floats("input.waveform");
    let scale = normalizing.scale(&wave).unwrap();
    let codes = codec().encode(wave.clone() / scale.clone());
    check_codes(normalizing.encode(wave.clone()), codes);
    check_close(normalizing.scale(&(wave * 4.0)).unwrap(), scale * 4.0, 1e-6);
}

#[test]
fn what_only_training_needs_may_be_missing() {
    renamed(|name| (!TRAINING_ONLY.iter().any(|it| name.ends_with(it))).then(|| name.to_owned()))
        .unwrap();
}

#[test]
fn a_missing_tensor_is_named() {
    let without = |name: &str| (!name.contains("layers.13.lstm.bias_hh_l1")).then(|| name.into());
    check_refused(without, "missing: encoder.layers.13.lstm.bias_hh_l1");
}

#[test]
fn a_tensor_of_another_model_is_named() {
    let other = |name: &str| Some(name.replace("layers.7.codebook.inited", "layers.8.stranger"));
    check_refused(other, "not in the model: quantizer.layers.8.stranger");
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    let swapped = |name: &str| {
        let (one, other) = ("encoder.layers.0.conv.bias", "encoder.layers.12.conv.bias");
        Some(
            if name == one {
                other
            } else if name == other {
                one
            } else {
                name
            }
            .to_owned(),
        )
    };
    check_refused(swapped, "encoder.layers.0.conv.bias (expected [2], found [32])");
}
