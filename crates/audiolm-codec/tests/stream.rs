//! A stream is the whole, however it is cut.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[allow(dead_code, reason = "the golden needs a part of it")]
mod support;

use audiolm_codec::{LocalAttentionConfig, SoundStream, SoundStreamConfig};
use burn::prelude::*;
use burn::tensor::Distribution;
use proptest::prelude::*;
use support::codec;

const HOP: usize = 20;
/// Products of other shapes add up in other orders; the greatest sample is about 10.
const ROUNDING: f32 = 5e-5;

fn noise(frames: usize, device: &Device) -> Tensor<3> {
    device.seed(0);
    Tensor::random([2, 1, frames * HOP], Distribution::Normal(0.0, 0.3), device)
}

/// Frames before each chunk's end.
fn ends(chunks: &[usize]) -> Vec<usize> {
    let ends = chunks.iter().scan(0, |end, it| {
        *end += it;
        Some(*end)
    });
    ends.collect()
}

fn check_frames_of_chunks(chunks: &[usize]) -> Result<(), TestCaseError> {
    let device = Device::default();
    let codec = codec(&device);
    let wave = noise(chunks.iter().sum(), &device);
    let whole = codec.encoder().forward(wave.clone());
    let mut state = codec.encoder().silence(2, &device);
    let steps = ends(chunks).into_iter().zip(chunks).map(|(end, frames)| {
        let chunk = wave.clone().slice_dim(2, (end - frames) * HOP..end * HOP);
        codec.encoder().step(chunk, &mut state)
    });
    let streamed = Tensor::cat(steps.collect(), 1);
    prop_assert_eq!(streamed.dims(), whole.dims());
    let error = (streamed - whole).abs().max().into_scalar::<f32>();
    prop_assert!(error < ROUNDING, "{}", error);
    Ok(())
}

fn check_wave_of_chunks(chunks: &[usize]) -> Result<(), TestCaseError> {
    let device = Device::default();
    let codec = codec(&device);
    let codes = codec.encode(noise(chunks.iter().sum(), &device));
    let whole = codec.decode(codes.clone());
    let mut state = codec.decoder().silence(2, &device);
    let steps = ends(chunks).into_iter().zip(chunks).map(|(end, frames)| {
        codec.decode_step(codes.clone().slice_dim(2, end - frames..end), &mut state)
    });
    let streamed = Tensor::cat(steps.collect(), 2);
    prop_assert_eq!(streamed.dims(), whole.dims());
    let error = (streamed - whole).abs().max().into_scalar::<f32>();
    prop_assert!(error < ROUNDING, "{}", error);
    Ok(())
}

fn check_codes_of_chunks(chunks: &[usize]) -> Result<(), TestCaseError> {
    let device = Device::default();
    let codec = codec(&device);
    let wave = noise(chunks.iter().sum(), &device);
    let mut state = codec.encoder().silence(2, &device);
    let steps = ends(chunks).into_iter().zip(chunks).map(|(end, frames)| {
        let chunk = wave.clone().slice_dim(2, (end - frames) * HOP..end * HOP);
        codec.encode_step(chunk, &mut state)
    });
    let streamed = Tensor::cat(steps.collect(), 2);
    prop_assert_eq!(streamed.into_data(), codec.encode(wave).into_data());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn chunks_encode_as_the_whole(chunks in prop::collection::vec(1_usize..9, 1..6)) {
        check_frames_of_chunks(&chunks)?;
    }

    #[test]
    fn chunks_have_the_codes_of_the_whole(chunks in prop::collection::vec(1_usize..9, 1..6)) {
        check_codes_of_chunks(&chunks)?;
    }

    #[test]
    fn chunks_decode_as_the_whole(chunks in prop::collection::vec(1_usize..9, 1..6)) {
        check_wave_of_chunks(&chunks)?;
    }
}

/// The states of a long stream are as large as after its first frames.
#[track_caller]
fn check_sizes(codec: &SoundStream, first_frames: usize) {
    let device = Device::default();
    let mut heard = codec.encoder().silence(1, &device);
    let mut said = codec.decoder().silence(1, &device);
    let mut sizes = None;
    // An hour of frames at this hop would be 2.9 million; what grew would show after a thousand.
    for frames in std::iter::once(first_frames).chain((0..300).map(|it| 1 + it % 5)) {
        let wave = noise(frames, &device).slice_dim(0, ..1);
        let codes = codec.encode_step(wave, &mut heard);
        codec.decode_step(codes, &mut said);
        let found = (heard.n_numbers(), said.n_numbers());
        assert_eq!(found, *sizes.get_or_insert(found));
    }
}

#[test]
fn states_keep_their_size() {
    let device = Device::default();
    check_sizes(&codec(&device), 1);
    let attention = Some(LocalAttentionConfig { n_layers: 2, n_heads: 2, window_frames: 4 });
    let config = SoundStreamConfig { attention, ..support::config() };
    check_sizes(&config.init(&device).unwrap(), 4);
}

#[test]
fn a_stream_remembers() {
    let device = Device::default();
    let codec = codec(&device);
    let wave = noise(2, &device);
    let mut state = codec.encoder().silence(2, &device);
    codec.encoder().step(wave.clone().slice_dim(2, ..HOP), &mut state);
    let late = wave.slice_dim(2, HOP..);
    let fresh = codec.encoder().forward(late.clone()).into_data();
    let remembered = codec.encoder().step(late, &mut state).into_data();
    assert_ne!(fresh, remembered);
}
