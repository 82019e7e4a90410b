//! Block by block is the whole, and no block is long.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};

use audiolm_audio::{
    AudioError, AudioFile, Clip, Level, SampleFormat, WavFile, WavStream, WholeFile,
};

/// More than any format's packet, less than a second at any usual rate.
const LONGEST_BLOCK: usize = 20_000;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn sound(seconds: u32, sample_rate_hz: u32) -> Clip {
    let samples = (0..seconds * sample_rate_hz).map(|n| 0.3 * (n as f32 * 0.07).sin());
    Clip { samples: samples.collect(), sample_rate_hz }
}

/// All blocks at a rate in a row.
#[track_caller]
fn in_blocks(file: &AudioFile, rate_hz: u32) -> Vec<f32> {
    let mut blocks = file.blocks().unwrap().resampled(rate_hz).unwrap();
    let mut samples = Vec::new();
    while let Some(block) = blocks.next_block().unwrap() {
        assert!((1..=LONGEST_BLOCK).contains(&block.len()), "{} samples at once", block.len());
        samples.extend(block);
    }
    samples
}

#[track_caller]
fn check(path: &Path) {
    let whole = Clip::read(path).unwrap();
    let file = AudioFile::open(path).unwrap();
    for rate_hz in [whole.sample_rate_hz, 16_000, 11_025] {
        assert!(in_blocks(&file, rate_hz) == whole.resampled(rate_hz).unwrap().samples);
    }
}

#[test]
fn every_format_is_the_same_in_blocks() {
    for name in ["tone.flac", "tone.ogg", "tone.mp3", "tone.aac", "tone.m4a", "stereo.flac"] {
        check(&fixture(name));
    }
}
#[test]
fn minutes_of_sound_are_the_same_in_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    sound(180, 22_050).write_wav(&path).unwrap();
    check(&path);
}
#[test]
fn what_can_be_read_but_once_is_read_twice() {
    let bytes = fs::read(fixture("tone.flac")).unwrap();
    let file = AudioFile::spooled("-", Cursor::new(bytes)).unwrap();
    assert_eq!(in_blocks(&file, 16_000), in_blocks(&file, 16_000));
    let error = AudioFile::spooled("-", Cursor::new("words")).unwrap().blocks().err().unwrap();
    assert!(error.to_string().starts_with("-: expected WAV"), "{error}");
}
#[test]
fn a_cut_shows_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.wav");
    sound(2, 16_000).write_wav(&path).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    File::options().write(true).open(&path).unwrap().set_len(length - 2_000).unwrap();
    let mut blocks = AudioFile::open(&path).unwrap().blocks().unwrap();
    assert_eq!(blocks.next_block().unwrap().unwrap().len(), 16_384);
    let error = blocks.next_block().unwrap_err();
    let expected = (32_000, 31_000);
    assert!(
        matches!(error, AudioError::Truncated { promised, found, .. } if (promised, found) == expected),
        "{error}"
    );
}

#[test]
fn the_level_of_blocks_is_that_of_the_whole() {
    let clip = sound(1, 16_000);
    let mut level = Level::default();
    clip.samples.chunks(777).for_each(|it| level.push(it));
    assert_eq!((level.rms(), level.peak()), (clip.rms(), clip.peak()));
    assert_eq!(level.reference_gain(), clip.reference_gain());
    assert_eq!(level.n_samples(), 16_000);
}

#[test]
fn a_wav_file_in_blocks_is_the_whole_and_has_no_name_before() {
    let folder = tempfile::tempdir().unwrap();
    let clip = sound(1, 16_000);
    for format in [SampleFormat::Int16, SampleFormat::Float32] {
        let [whole, blocks] = ["whole.wav", "blocks.wav"].map(|it| folder.path().join(it));
        clip.write_wav_as(&whole, format).unwrap();
        let mut out = WholeFile::create(&blocks).unwrap();
        let mut file = WavFile::new(&mut out, &blocks, clip.sample_rate_hz, format).unwrap();
        clip.samples.chunks(777).for_each(|it| file.push(it).unwrap());
        assert_eq!(file.n_samples(), 16_000);
        file.finish().unwrap();
        assert!(!blocks.exists());
        out.keep().unwrap();
        assert_eq!(fs::read(&blocks).unwrap(), fs::read(&whole).unwrap());
        fs::remove_file(&blocks).unwrap();
    }
}

#[test]
fn a_pipe_gets_the_bytes_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for n_samples in [0, 1, 22_050] {
        let path = folder.path().join("file.wav");
        let mut clip = sound(1, 22_050);
        clip.samples.truncate(n_samples);
        clip.write_wav(&path).unwrap();
        let mut bytes = Vec::new();
        let mut stream = WavStream::new(&mut bytes, "-", 22_050, n_samples as u64).unwrap();
        clip.samples.chunks(1000).for_each(|it| stream.push(it).unwrap());
        assert_eq!(stream.n_samples(), n_samples as u64);
        assert!(bytes == fs::read(&path).unwrap(), "{n_samples} samples");
    }
}
#[test]
fn a_pipe_takes_no_more_than_its_header_can_say_and_no_nonsense() {
    let error = WavStream::new(Vec::new(), "-", 16_000, 1 << 31).err().unwrap();
    assert!(error.to_string().contains("longer than"), "{error}");
    let mut stream = WavStream::new(Vec::new(), "-", 16_000, 3).unwrap();
    stream.push(&[0.0, 0.1]).unwrap();
    let error = stream.push(&[f32::NAN]).unwrap_err();
    assert!(matches!(error, AudioError::ImplausibleSample { position: 2, .. }), "{error}");
}
#[test]
fn a_file_is_whole_after_every_flush() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.wav");
    let clip = sound(1, 16_000);
    let out = std::io::BufWriter::new(File::create(&path).unwrap());
    let mut file = WavFile::new(out, &path, 16_000, SampleFormat::Float32).unwrap();
    for (idx, block) in clip.samples.chunks(3000).enumerate() {
        file.push(block).unwrap();
        file.flush().unwrap();
        let so_far = Clip::read(&path).unwrap().samples;
        assert!(so_far == clip.samples[..3000 * idx + block.len()]);
    }
    file.finish().unwrap();
    assert_eq!(Clip::read(&path).unwrap(), clip);
}
