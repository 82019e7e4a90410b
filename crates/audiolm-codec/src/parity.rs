//! What published models answer in another implementation, to compare ours with.

use std::path::{Path, PathBuf};

use burn::prelude::*;
use burn::tensor::Tolerance;
use safetensors::SafeTensors;

/// The folder of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Tensors that a reference implementation took and gave.
pub(crate) struct Reference(Vec<u8>);

impl Reference {
    pub(crate) fn of(name: &str) -> Self {
        Self(std::fs::read(fixture(name).join("reference.safetensors")).unwrap())
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

    pub(crate) fn codes(&self, name: &str) -> Tensor<3, Int> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let view = tensors.tensor(name).unwrap();
        let values = view.data().chunks_exact(8);
        let values: Vec<i64> =
            values.map(|it| i64::from_le_bytes(it.try_into().unwrap())).collect();
        let data = TensorData::new(values, view.shape().to_vec());
        Tensor::from_data(data, &Device::default())
    }

    #[track_caller]
    pub(crate) fn check<const D: usize>(&self, name: &str, found: Tensor<D>, rounding: f32) {
        let expected: Tensor<D> = self.floats(name);
        assert_eq!(found.dims(), expected.dims(), "{name}");
        let furthest = (found - expected).abs().max().into_scalar::<f32>();
        assert!(furthest <= rounding, "{name}: {furthest} apart, {rounding} allowed");
    }
}

#[track_caller]
pub(crate) fn check_codes(found: Tensor<3, Int>, expected: Tensor<3, Int>) {
    assert_eq!(found.dims(), expected.dims());
    let of = |codes: Tensor<3, Int>| codes.try_into_vec_as::<i64>().unwrap();
    assert_eq!(of(found), of(expected));
}

#[track_caller]
pub(crate) fn check_close(found: Tensor<3>, expected: Tensor<3>, rounding: f32) {
    assert_eq!(found.dims(), expected.dims());
    found.into_data().assert_approx_eq(&expected.into_data(), Tolerance::<f32>::absolute(rounding));
}
