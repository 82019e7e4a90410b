//! Laws of reading and writing, over random clips and every truncation.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::{Path, PathBuf};

use audiolm_audio::{Clip, SampleFormat, probe};
use proptest::prelude::*;

/// One step of 16-bit audio.
const STEP: f32 = 1.0 / 32_768.0;

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_written_is_read_within_one_step(
        samples in prop::collection::vec(-1.0f32..=1.0, 1..400),
        sample_rate_hz in 8_000u32..96_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.wav");
        let clip = Clip { samples, sample_rate_hz };
        clip.write_wav(&path).unwrap();
        let read = Clip::read(&path).unwrap();
        prop_assert_eq!(read.sample_rate_hz, clip.sample_rate_hz);
        prop_assert_eq!(read.samples.len(), clip.samples.len());
        for (a, b) in read.samples.iter().zip(&clip.samples) {
            prop_assert!((a - b).abs() <= STEP);
        }
    }

    #[test]
    fn a_16_bit_clip_is_written_back_bit_for_bit(
        samples in prop::collection::vec(any::<i16>(), 1..400),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.wav");
        let samples = samples.iter().map(|it| f32::from(*it) * STEP).collect();
        let clip = Clip { samples, sample_rate_hz: 16_000 };
        clip.write_wav(&path).unwrap();
        prop_assert_eq!(Clip::read(&path).unwrap(), clip);
    }

    #[test]
    fn a_resampled_clip_has_the_exact_length(
        length in 0usize..3_000,
        from_hz in 8_000u32..48_000,
        to_hz in 8_000u32..48_000,
    ) {
        // Round rates: two rates without a common divisor cost a huge transform.
        let (from_hz, to_hz) = (from_hz / 50 * 50, to_hz / 50 * 50);
        let clip = Clip { samples: vec![0.1; length], sample_rate_hz: from_hz };
        let expected = (length as u64 * u64::from(to_hz)).div_ceil(u64::from(from_hz));
        prop_assert_eq!(clip.resampled(to_hz).unwrap().samples.len() as u64, expected);
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read(path).unwrap()
}

/// Cuts a file at every `stride`-th byte. Neither reading nor probing may panic, and a format that
/// states its length or its end must notice the cut.
#[track_caller]
fn check_truncations(bytes: &[u8], stride: usize, notices_cuts: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("cut");
    for length in (0..bytes.len()).step_by(stride) {
        fs::write(&path, &bytes[..length]).unwrap();
        let _ = probe(&path);
        let is_read = Clip::read(&path).is_ok();
        assert!(!(is_read && notices_cuts), "cut to {length} of {} unnoticed", bytes.len());
    }
}

/// A small WAV file.
fn wav(format: SampleFormat) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.wav");
    let samples = (0..300).map(|n| (n as f32 * 0.1).sin()).collect();
    Clip { samples, sample_rate_hz: 16_000 }.write_wav_as(&path, format).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn every_cut_of_a_wav_is_an_error() {
    check_truncations(&wav(SampleFormat::Int16), 1, true);
    check_truncations(&wav(SampleFormat::Float32), 1, true);
}
#[test]
fn every_cut_of_a_flac_is_an_error() {
    check_truncations(&fixture("tone.flac"), 7, true);
}
#[test]
fn every_cut_of_an_ogg_is_an_error() {
    check_truncations(&fixture("tone.ogg"), 7, true);
}
#[test]
fn every_cut_of_an_m4a_is_an_error() {
    check_truncations(&fixture("tone.m4a"), 7, true);
}
#[test]
fn no_cut_of_an_mp3_or_aac_panics() {
    check_truncations(&fixture("tone.mp3"), 7, false);
    check_truncations(&fixture("tone.aac"), 7, false);
}

/// Changes one byte at a time. Whatever comes of it, it is no panic.
#[track_caller]
fn check_damage(bytes: &[u8], stride: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    for position in (0..bytes.len()).step_by(stride) {
        let mut damaged = bytes.to_vec();
        damaged[position] ^= 0xa5;
        fs::write(&path, &damaged).unwrap();
        let _ = probe(&path);
        let _ = Clip::read(&path);
    }
}

#[test]
fn no_damaged_byte_panics() {
    check_damage(&wav(SampleFormat::Int16), 1);
    check_damage(&wav(SampleFormat::Float32), 1);
    for name in ["tone.flac", "tone.ogg", "tone.mp3", "tone.aac", "tone.m4a", "stereo.flac"] {
        check_damage(&fixture(name), 23);
    }
}

/// The recordings of a data pack, where one is at hand: named by `AUDIOLM_DATA`, or beside the
/// workspace.
fn data_pack() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("AUDIOLM_DATA").map_or(beside, PathBuf::from);
    folder.join("manifest.csv").is_file().then_some(folder)
}

#[test]
fn real_recordings_are_read_at_another_rate() {
    let Some(folder) = data_pack() else {
        return println!("no data pack here: nothing to read");
    };
    let manifest = fs::read_to_string(folder.join("manifest.csv")).unwrap();
    let mut seen = std::collections::HashSet::new();
    // The first recording of each top-level folder and kind.
    for name in manifest.lines().skip(1).filter_map(|it| it.split(',').next()) {
        let kind = (name.split('/').next(), Path::new(name).extension());
        if !seen.insert(kind) {
            continue;
        }
        let path = folder.join(name);
        let clip = Clip::read_at(&path, 24_000).unwrap();
        assert!((clip.seconds() - probe(&path).unwrap().seconds).abs() < 1e-3);
        assert!(clip.peak() > 0.0);
    }
}
