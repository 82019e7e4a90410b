//! Tensors of fixtures, and how near to them is near enough.

use std::path::{Path, PathBuf};

use burn::prelude::*;
use safetensors::SafeTensors;

/// Single against double precision over two layers; the greatest hidden state is about 4.
const ROUNDING: f32 = 2e-5;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Reads one tensor of a fixture as its dimensions and values.
pub fn read<const D: usize>(file: &str, name: &str) -> ([usize; D], Vec<f32>) {
    let bytes = std::fs::read(fixture(file)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    let float = |it: &[u8]| f32::from_le_bytes([it[0], it[1], it[2], it[3]]);
    let values = tensor.data().chunks_exact(4).map(float).collect();
    (tensor.shape().try_into().unwrap(), values)
}

pub fn tensor(file: &str, name: &str, device: &Device) -> Tensor<3> {
    let (dims, values) = read::<3>(file, name);
    Tensor::<1>::from_data(values.as_slice(), device).reshape(dims)
}

#[track_caller]
pub fn check_close(found: Tensor<3>, expected: Tensor<3>) {
    assert_eq!(found.dims(), expected.dims());
    let error = (found - expected).abs().max().into_scalar::<f32>();
    assert!(error < ROUNDING, "{error}");
}
