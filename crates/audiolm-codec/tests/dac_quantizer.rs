//! The factorised quantizer against PyTorch; `fixtures/dac_quantizer/make.py` wrote what is compared.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_codec::{FactorizedQuantizerConfig, Quantizer, QuantizerConfig};
use audiolm_nn::load_weights;
use burn::prelude::*;
use burn::tensor::Tolerance;
use safetensors::SafeTensors;

/// Fifty times what single differs from double precision in the reference, 2.1e-7.
const ROUNDING: f32 = 1e-5;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dac_quantizer").join(name)
}

/// A tensor of the reference: its shape, and its numbers of four bytes each.
fn read<T>(name: &str, number: impl Fn([u8; 4]) -> T) -> ([usize; 3], Vec<T>) {
    let bytes = std::fs::read(fixture("reference.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    let numbers = tensor.data().as_chunks::<4>().0.iter().map(|it| number(*it)).collect();
    (tensor.shape().try_into().unwrap(), numbers)
}

fn floats(name: &str, device: &Device) -> Tensor<3> {
    let (shape, numbers) = read(name, f32::from_le_bytes);
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn codes(name: &str, device: &Device) -> Tensor<3, Int> {
    let (shape, numbers) = read(name, i32::from_le_bytes);
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn dac(device: &Device) -> Quantizer {
    let config = QuantizerConfig::Factorized(FactorizedQuantizerConfig::new(6, 64, 4));
    load_weights(config.init(48, device).unwrap(), &fixture("model.safetensors")).unwrap()
}

#[test]
fn factorised_codes_equal_those_of_pytorch() {
    let device = Device::default();
    let found = dac(&device).encode(floats("embeddings", &device));
    for n in [3, 6] {
        let expected = codes(&format!("codes.{n}"), &device);
        let differing = found.clone().slice_dim(1, ..n).not_equal(expected).int().sum();
        assert_eq!(differing.into_scalar::<i64>(), 0);
    }
}

#[test]
fn factorised_vectors_equal_those_of_pytorch_from_three_quantizers_and_from_all() {
    let device = Device::default();
    let tolerance = Tolerance::<f32>::absolute(ROUNDING);
    for n in [3, 6] {
        let expected = floats(&format!("quantized.{n}"), &device).into_data();
        let decoded = dac(&device).decode(codes(&format!("codes.{n}"), &device));
        decoded.into_data().assert_approx_eq(&expected, tolerance);
        let output = dac(&device).forward(floats("embeddings", &device), &[n]);
        output.quantized.into_data().assert_approx_eq(&expected, tolerance);
    }
}
