//! Stores of tokens: round trips, and files that are not whole.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;

use audiolm_data::{DataError, Recording, Split, TokenStore, TokenStoreBuilder, TokensProblem};
use proptest::prelude::*;

fn store(width: usize, recordings: &[Vec<u16>]) -> TokenStore {
    let mut builder = TokenStoreBuilder::new(width, 12.5, "mimi-1f3a");
    for (index, ids) in recordings.iter().enumerate() {
        builder.push(&format!("folder \"{index}\"/ü.wav"), &ids[..ids.len() / width * width]);
    }
    builder.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_saved_is_loaded(
        width in 1usize..9,
        recordings in prop::collection::vec(prop::collection::vec(any::<u16>(), 0..60), 0..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.safetensors");
        let saved = store(width, &recordings);
        saved.save(&path).unwrap();
        let loaded = TokenStore::load_of(&path, "mimi-1f3a").unwrap();
        prop_assert_eq!(&loaded, &saved);
        for (index, ids) in recordings.iter().enumerate() {
            prop_assert_eq!(loaded.frames(index), ids.len() / width);
            prop_assert_eq!(loaded.tokens(index), &ids[..ids.len() / width * width]);
        }
    }
}

#[test]
fn a_store_describes_itself() {
    let store = store(2, &[vec![1, 2, 3, 4], vec![5, 6]]);
    assert_eq!((store.len(), store.width(), store.total_frames()), (2, 2, 3));
    assert_eq!((store.lengths(), store.frames_per_second()), (vec![2, 1], 12.5));
    assert_eq!((store.key(1), store.fingerprint()), ("folder \"1\"/ü.wav", "mimi-1f3a"));
    assert_eq!(store.tokens(1), [5, 6]);
}

#[test]
fn what_is_missing_is_told() {
    let recording = |key: &str| Recording {
        path: key.into(),
        key: key.into(),
        seconds: 1.0,
        speaker: String::new(),
        split: Split::Train,
        transcript: None,
        caption: None,
        set: String::new(),
    };
    let mut builder = TokenStoreBuilder::new(1, 50.0, "km");
    builder.push("a", &[1]);
    let (store, here, absent) = (builder.finish(), recording("a"), recording("b"));
    assert!(store.is_whole(&[&here]));
    assert!(!store.is_whole(&[&here, &absent]));
    assert_eq!(store.missing(&[&here, &absent]), [&absent]);
}

#[test]
fn the_tokens_of_another_tokenizer_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.safetensors");
    store(1, &[vec![1]]).save(&path).unwrap();
    let error = TokenStore::load_of(&path, "dac-22").unwrap_err();
    assert!(matches!(error, DataError::ForeignTokens { .. }));
    let message = error.to_string();
    assert!(message.ends_with("expected `dac-22`, found `mimi-1f3a`"), "{message}");
}

#[test]
fn a_missing_store_is_an_error() {
    let error = TokenStore::load("no/such.safetensors").unwrap_err();
    assert!(matches!(error, DataError::UnreadableTokens { .. }));
}

#[test]
#[should_panic(expected = "3 tokens are no frames of 2")]
fn half_a_frame_is_refused() {
    TokenStoreBuilder::new(2, 50.0, "km").push("a", &[1, 2, 3]);
}
#[test]
#[should_panic(expected = "the tokens of `a` come twice")]
fn a_second_recording_of_a_key_is_refused() {
    let mut builder = TokenStoreBuilder::new(1, 50.0, "km");
    builder.push("a", &[1]);
    builder.push("a", &[1]);
}

/// Loads every version of a file that `spoil` makes of a good one, and expects errors.
#[track_caller]
fn check_refused(spoil: impl Fn(&[u8], usize) -> Option<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.safetensors");
    store(2, &[vec![1, 2, 3, 4], vec![5, 6]]).save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for position in 0..whole.len() {
        if let Some(bytes) = spoil(&whole, position) {
            fs::write(&path, bytes).unwrap();
            let loaded = TokenStore::load_of(&path, "mimi-1f3a");
            assert!(loaded.is_err(), "spoilt at {position} of {} unnoticed", whole.len());
        }
    }
}

#[test]
fn every_cut_is_an_error() {
    check_refused(|whole, length| Some(whole[..length].to_vec()));
}

#[test]
fn every_changed_token_is_an_error() {
    let tensor_bytes = 2 * 6 + 8 * 2;
    check_refused(|whole, position| {
        let mut bytes = whole.to_vec();
        bytes[position] ^= 1;
        (position >= whole.len() - tensor_bytes).then_some(bytes)
    });
}

#[test]
fn every_changed_header_length_is_an_error() {
    check_refused(|whole, position| {
        let mut bytes = whole.to_vec();
        bytes[position] ^= 1;
        (position < 8).then_some(bytes)
    });
}

#[test]
fn no_changed_byte_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.safetensors");
    store(2, &[vec![1, 2, 3, 4], vec![5, 6]]).save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for (position, change) in (0..whole.len()).flat_map(|it| [(it, 1), (it, 0x10), (it, 0x80)]) {
        let mut bytes = whole.clone();
        bytes[position] ^= change;
        fs::write(&path, bytes).unwrap();
        if let Ok(store) = TokenStore::load(&path) {
            assert_eq!(store.tokens(0).len(), store.frames(0) * store.width());
        }
    }
}

#[test]
fn another_safetensors_file_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let tensors: [(&str, safetensors::tensor::TensorView); 0] = [];
    fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
    let error = TokenStore::load(&path).unwrap_err();
    let expected = TokensProblem::Metadata("format");
    assert!(matches!(error, DataError::BadTokens { problem, .. } if problem == expected));
}
