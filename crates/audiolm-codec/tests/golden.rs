//! The whole codec against PyTorch; `fixtures/sound_stream/make.py` wrote what is compared.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use burn::prelude::*;
use burn::tensor::Tolerance;
use safetensors::SafeTensors;
use support::{codec, fixture};

/// Single against double precision over thirty layers; the greatest value is about 10.
const ROUNDING: f32 = 5e-5;

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

fn codes(device: &Device) -> Tensor<3, Int> {
    let (shape, numbers) = read("codes", i32::from_le_bytes);
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

#[test]
fn the_encoder_equals_pytorch() {
    let device = Device::default();
    let found = codec(&device).embed(floats("wave", &device));
    let expected: Tensor<2> = floats("frames", &device).flatten(0, 1);
    let tolerance = Tolerance::<f32>::absolute(ROUNDING);
    found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
}

#[test]
fn codes_equal_those_of_pytorch() {
    let device = Device::default();
    let found = codec(&device).encode(floats("wave", &device));
    let differing = found.not_equal(codes(&device)).int().sum().into_scalar::<i32>();
    assert_eq!(differing, 0);
}

#[test]
fn the_decoder_equals_pytorch_from_two_quantizers_and_from_all() {
    let device = Device::default();
    for n in [2, 4] {
        let found = codec(&device).decode(codes(&device).slice_dim(1, ..n));
        let expected = floats(&format!("decoded_{n}"), &device);
        let tolerance = Tolerance::<f32>::absolute(ROUNDING);
        found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
    }
}
