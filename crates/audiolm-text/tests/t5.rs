//! T5 from a folder, as Hugging Face has it.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_text::{Conditioner, Description, SentencePiece, T5, T5Encoder, TextError};
use burn::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The encoder of a fixture beside a tokenizer, as they are published.
fn published(encoder: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(fixture(encoder).join(name), folder.path().join(name)).unwrap();
    }
    let name = "spiece.model";
    std::fs::copy(fixture("sentence_piece/model").join(name), folder.path().join(name)).unwrap();
    folder
}

#[test]
fn a_text_is_cut_and_encoded_to_its_end() {
    let folder = published("t5_relu");
    let device = Device::default();
    let t5 = T5::load_from(folder.path(), &device).unwrap();
    let ids = SentencePiece::load_from(folder.path()).unwrap().ids("it is seven");
    let n = ids.len();
    let ids: Vec<i32> = ids.into_iter().map(|it| it as i32).collect();
    let ids = Tensor::<1, Int>::from_data(ids.as_slice(), &device).reshape([1, n]);
    let encoded = T5Encoder::load_from(folder.path(), &device).unwrap().forward(ids, &[n]);
    let vectors = t5.vectors(&Description::Text("it is seven")).unwrap();
    assert_eq!(vectors.len(), n * t5.width());
    assert_eq!(vectors, encoded.try_into_vec_as::<f32>().unwrap());
    assert_ne!(vectors, t5.vectors(&Description::Text("it is two")).unwrap());
}

#[test]
fn a_recording_is_no_text() {
    let t5 = T5::load_from(published("t5_relu").path(), &Device::default()).unwrap();
    let sound = Description::Sound { samples: &[0.0], rate_hz: 16_000 };
    let error = t5.vectors(&sound).unwrap_err().to_string();
    assert_eq!(error, "this conditioner takes text, not a recording");
}

#[test]
fn a_tokenizer_with_more_pieces_than_the_encoder_is_refused() {
    let error = T5::load_from(published("t5_encoder").path(), &Device::default()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("is 500; supported is only at most 256, the encoder's"), "{error}");
}

/// The tensors of a fixture, after `change`, saved anew.
fn changed(change: impl Fn(&mut Vec<(String, TensorView<'_>)>)) -> TempDir {
    let folder = published("t5_relu");
    let path = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let mut tensors: Vec<_> = SafeTensors::deserialize(&bytes).unwrap().tensors();
    change(&mut tensors);
    std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
    folder
}

#[track_caller]
fn check_refused(folder: &TempDir, expected: &str) {
    let error = T5Encoder::load_from(folder.path(), &Device::default()).unwrap_err();
    assert!(matches!(error, TextError::Weights(_)), "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn tensors_that_are_missing_unknown_or_misshapen_are_listed() {
    let norm = "encoder.final_layer_norm.weight";
    let missing = changed(|it| it.retain(|(name, _)| name != norm));
    check_refused(&missing, &format!("missing: {norm}"));
    let renamed =
        changed(|it| it.iter_mut().filter(|it| it.0 == norm).for_each(|it| it.0.push('x')));
    check_refused(&renamed, &format!("not in the model: {norm}x"));
    let wider = changed(|it| {
        let other = it.iter().find(|it| it.0 == "shared.weight").unwrap().1.clone();
        it.iter_mut().filter(|it| it.0 == norm).for_each(|it| it.1 = other.clone());
    });
    check_refused(&wider, &format!("misfit: {norm} (expected [24], found [512, 24])"));
}
