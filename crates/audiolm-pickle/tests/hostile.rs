//! Files that were cut short or changed: nothing panics, whatever comes of them.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::path::Path;

use audiolm_pickle::{Bytes, JoblibFile, Limits, TorchFile};
use proptest::prelude::*;
use proptest::sample::Index;
use support::{FILES, fixture, read_everything};

fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

#[test]
fn every_truncation_is_an_error() {
    for name in FILES {
        let whole = bytes_of(name);
        for length in 0..whole.len() {
            let bytes = Bytes::of_memory(whole[..length].to_vec());
            let (path, limits) = (Path::new(name), Limits::default());
            let opened = match name.ends_with(".joblib") {
                true => JoblibFile::of_bytes(bytes, path, &limits).map(drop),
                false => TorchFile::of_bytes(bytes, path, &limits).map(drop),
            };
            assert!(opened.is_err(), "{name}: {length} of {}", whole.len());
            read_everything(&whole[..length]);
        }
    }
}

#[test]
fn every_byte_of_the_first_4_kilobytes_may_be_another() {
    for name in FILES {
        let whole = bytes_of(name);
        for at in 0..whole.len().min(4096) {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= change;
                read_everything(&changed);
            }
        }
    }
}

/// A change of a file.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || any::<Index>();
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), prop::collection::vec(any::<u8>(), 1..16)).prop_map(|it| Change::Insert(it.0, it.1)),
        (at(), 1..64usize).prop_map(|(at, n)| Change::Remove(at, n)),
        (at(), at(), 1..64usize).prop_map(|(from, to, n)| Change::Repeat(from, to, n)),
    ]
}

fn changed(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    let end = |start: usize, n: usize| (start + n).min(bytes.len());
    match change {
        Change::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Change::Insert(at, more) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Remove(at, n) => {
            let at = at.index(bytes.len());
            bytes.drain(at..end(at, *n).max(at + 1).min(bytes.len()));
        }
        Change::Repeat(from, to, n) => {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let part = bytes[from..end(from, *n)].to_vec();
            bytes.splice(to..to, part);
        }
    }
    if bytes.is_empty() { vec![0] } else { bytes }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_changed_nothing_panics(
        name in prop::sample::select(&FILES[..]),
        changes in prop::collection::vec(change(), 1..8),
    ) {
        read_everything(&changes.iter().fold(bytes_of(name), changed));
    }

    #[test]
    fn whatever_the_machine_is_told_nothing_panics(
        program in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        read_everything(&[b"\x80\x04", &program[..]].concat());
    }
}
