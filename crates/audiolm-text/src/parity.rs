//! What a published model answers in another implementation, to compare ours with.

use std::path::{Path, PathBuf};

use burn::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

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
        let values = |view: &TensorView<'_>| {
            let bytes = view.data().chunks_exact(4);
            bytes.map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect::<Vec<_>>()
        };
        self.with(name, |it| {
            let data = TensorData::new(values(it), it.shape().to_vec());
            Tensor::from_data(data, &Device::default())
        })
    }

    pub(crate) fn ids(&self, name: &str) -> Tensor<2, Int> {
        self.with(name, |it| {
            let data = TensorData::new(integers(it), it.shape().to_vec());
            Tensor::from_data(data, &Device::default())
        })
    }

    /// How many ones each row of a mask begins with, and that nothing but zeros follows.
    pub(crate) fn lengths(&self, name: &str) -> Vec<usize> {
        self.with(name, |it| {
            let length = |row: &[i64]| {
                let length = row.iter().sum::<i64>() as usize;
                assert!(row[..length].iter().all(|it| *it == 1), "filled on the right");
                length
            };
            integers(it).chunks(it.shape()[1]).map(length).collect()
        })
    }

    fn with<T>(&self, name: &str, read: impl FnOnce(&TensorView<'_>) -> T) -> T {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        read(&tensors.tensor(name).unwrap())
    }
}

fn integers(view: &TensorView<'_>) -> Vec<i64> {
    view.data().chunks_exact(8).map(|it| i64::from_le_bytes(it.try_into().unwrap())).collect()
}
