//! A codec of published size keeps to a memory that does not grow with what it codes. The only test of
//! its binary: it counts what the whole process takes.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::Path;

use audiolm_audio::{AudioFile, Clip};
use audiolm_codec::SoundStreamConfig;
use audiolm_nn::Precision;
use audiolm_pipeline::{Coder, PipelineError};
use burn::prelude::*;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// An hour has to fit into 500 MB, program and all.
const MOST: usize = 300 << 20;
/// What codes and the allocator's rounding may add.
const SLACK: usize = 4 << 20;

/// Bytes at the most while a recording of so many seconds is encoded and decoded.
fn peak(coder: &Coder, folder: &Path, seconds: usize) -> usize {
    let path = folder.join("noise.wav");
    let samples = (0..seconds * 16_000).map(|it| ((it * it) % 97) as f32 * 2e-3 - 0.1).collect();
    Clip { samples, sample_rate_hz: 16_000 }.write_wav(&path).unwrap();
    ALLOCATOR.reset_peak_usage();
    let blocks = coder.encode_blocks(&AudioFile::open(&path).unwrap(), None).unwrap();
    let header = *blocks.header();
    let codes: Vec<u32> = blocks.flat_map(Result::unwrap).collect();
    let codes = codes.chunks(12_000).map(|it| Ok::<_, PipelineError>(it.to_vec()));
    let n_samples: usize =
        coder.decode_blocks(&header, codes, None).unwrap().map(|it| it.unwrap().len()).sum();
    assert_eq!(n_samples, seconds * 16_000);
    ALLOCATOR.peak_usage()
}

#[test]
fn memory_does_not_grow_with_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::default();
    let config = SoundStreamConfig::audiolm_16khz();
    let codec = config.init(&device).unwrap();
    codec.save_to(folder.path(), &config, Precision::Full).unwrap();
    drop(codec);
    let coder = Coder::load(folder.path(), &device).unwrap();
    let [short, long] = [9, 17].map(|it| peak(&coder, folder.path(), it));
    assert!(short < MOST, "{short} bytes");
    assert!(long < short + SLACK, "{short} bytes for 9 s, {long} for 17 s");
}
