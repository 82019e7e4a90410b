//! The forms that weights are published in, written by PyTorch and safetensors themselves: see
//! `fixtures/published/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_nn::{WeightReader, WeightsError, published_weights};
use burn::prelude::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/published").join(name)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().unwrap()
}

#[track_caller]
fn check(path: &Path) {
    let mut reader = WeightReader::open(path, &Device::default()).unwrap();
    assert_eq!(values(reader.take("linear.weight", [2, 3])), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(values(reader.take("linear.bias", [2])), [0.0, 1.0]);
    // Directions (0, 2) and (1, 3), transposed in the file, of lengths 2 and 10.
    let kernels = values(reader.take_kernels("conv", [2, 2, 1]));
    let long = 10.0f32.sqrt();
    let expected = [0.0, 2.0, long, 3.0 * long];
    assert!(kernels.iter().zip(expected).all(|it| (it.0 - it.1).abs() < 1e-5), "{kernels:?}");
    reader.finish().unwrap();
}

#[track_caller]
fn check_refused(index: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors.index.json");
    std::fs::write(&path, index).unwrap();
    let shard = "model-00001-of-00002.safetensors";
    std::fs::copy(fixture("shards").join(shard), folder.path().join(shard)).unwrap();
    let refusal = WeightReader::open(&path, &Device::default()).unwrap_err().to_string();
    assert!(refusal.contains("model") && refusal.contains(expected), "{refusal}");
}

#[test]
fn safetensors_are_read() {
    check(&fixture("model.safetensors"));
}
#[test]
fn what_pytorch_saves_is_read() {
    check(&fixture("pytorch_model.bin"));
}
#[test]
fn what_pytorch_saved_before_1_6_is_read_beside_other_things() {
    check(&fixture("legacy.pt"));
}
#[test]
fn a_named_dict_of_tensors_is_found() {
    check(&fixture("checkpoint.pth"));
}
#[test]
fn several_files_are_read_as_one() {
    check(&fixture("shards/model.safetensors.index.json"));
    check(&fixture("pytorch_shards/pytorch_model.bin.index.json"));
}
#[test]
fn the_weights_of_a_folder_are_found() {
    assert_eq!(published_weights(&fixture("")).unwrap(), fixture("model.safetensors"));
    for folder in ["shards", "pytorch_shards"] {
        check(&published_weights(&fixture(folder)).unwrap());
    }
    let empty = tempfile::tempdir().unwrap();
    let refusal = published_weights(empty.path()).unwrap_err();
    assert!(matches!(refusal, WeightsError::NoWeights { .. }), "{refusal}");
}
#[test]
fn an_index_leads_to_files_beside_it_alone() {
    for file in ["../model.safetensors", "/etc/passwd", "a/b", "..", "", "x.json"] {
        let index = format!(r#"{{"weight_map": {{"linear.bias": "{file}"}}}}"#);
        check_refused(&index, "the name of a file beside it");
    }
}
#[test]
fn an_index_must_fit_its_files() {
    let index = r#"{"weight_map": {"other": "model-00001-of-00002.safetensors"}}"#;
    check_refused(index, "no file holds \"other\"");
    check_refused(
        r#"{"weight_map": {"other": "model-00002-of-00002.safetensors"}}"#,
        "model-00002-of-00002.safetensors",
    );
    check_refused("{}", "weight_map");
}
#[test]
fn every_truncation_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.safetensors", "pytorch_model.bin", "legacy.pt"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let opened = WeightReader::open(&path, &Device::default());
            assert!(opened.is_err(), "{name}: {length} of {} bytes", whole.len());
        }
    }
}
