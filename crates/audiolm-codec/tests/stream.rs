//! A stream is the whole, however it is cut.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[allow(dead_code, reason = "the golden needs a part of it")]
mod support;

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn chunks_encode_as_the_whole(chunks in prop::collection::vec(1_usize..9, 1..6)) {
        check_frames_of_chunks(&chunks)?;
    }

    #[test]
    fn chunks_decode_as_the_whole(chunks in prop::collection::vec(1_usize..9, 1..6)) {
        check_wave_of_chunks(&chunks)?;
    }
}

#[test]
fn codes_of_a_stream_are_those_of_the_whole() {
    let device = Device::default();
    let codec = codec(&device);
    let wave = noise(9, &device);
    let mut state = codec.encoder().silence(2, &device);
    let steps = wave.clone().split(HOP, 2).into_iter();
    let codes: Vec<_> = steps.map(|it| codec.encode_step(it, &mut state)).collect();
    assert_eq!(Tensor::cat(codes, 2).into_data(), codec.encode(wave).into_data());
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
