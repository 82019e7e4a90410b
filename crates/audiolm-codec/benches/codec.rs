//! What a second of sound costs to encode, to decode and to learn, with the tiny codec.

// A benchmark that unwraps fails where it should.
#![allow(clippy::unwrap_used)]

use audiolm_codec::{MultiScaleMelLoss, SoundStream, SoundStreamConfig};
use burn::prelude::*;
use burn::tensor::Distribution;
use divan::Bencher;
use divan::counter::ItemsCount;

const SAMPLE_RATE_HZ: usize = 16_000;
const N_QUANTIZERS: usize = 16;

fn main() {
    divan::main();
}

fn codec(device: &Device) -> SoundStream {
    SoundStreamConfig::tiny_16khz().init(device).unwrap()
}

fn noise(batch: usize, samples: usize, device: &Device) -> Tensor<3> {
    Tensor::random([batch, 1, samples], Distribution::Normal(0.0, 0.1), device)
}

/// Codes of a clip of so many seconds, in samples per second.
#[divan::bench(args = [1, 10], sample_count = 5)]
fn encodes(bencher: Bencher, seconds: usize) {
    let device = Device::default();
    let (codec, wave) = (codec(&device), noise(1, seconds * SAMPLE_RATE_HZ, &device));
    bencher
        .counter(ItemsCount::new(seconds * SAMPLE_RATE_HZ))
        .bench(|| codec.encode(wave.clone()).into_data());
}

/// The sound of a clip of so many seconds, in samples per second.
#[divan::bench(args = [1, 10], sample_count = 5)]
fn decodes(bencher: Bencher, seconds: usize) {
    let device = Device::default();
    let codec = codec(&device);
    let codes = codec.encode(noise(1, seconds * SAMPLE_RATE_HZ, &device));
    bencher
        .counter(ItemsCount::new(seconds * SAMPLE_RATE_HZ))
        .bench(|| codec.decode(codes.clone()).into_data());
}

/// A stream of chunks of 20 ms, encoded and decoded, in samples per second; for the time of one core
/// alone, with `RAYON_NUM_THREADS=1`.
#[divan::bench(args = [Size::Tiny, Size::Audiolm], sample_count = 20)]
fn streams(bencher: Bencher, size: Size) {
    let device = Device::default();
    let config = size.config();
    let codec = config.init(&device).unwrap();
    let hop = config.hop_samples();
    let chunk = noise(1, hop, &device);
    let mut heard = codec.encoder().silence(1, &device);
    let mut said = codec.decoder().silence(1, &device);
    bencher.counter(ItemsCount::new(hop)).bench_local(|| {
        let codes = codec.encode_step(chunk.clone(), &mut heard);
        codec.decode_step(codes, &mut said).into_data()
    });
}

/// A published size, or ours.
#[derive(Debug, Clone, Copy)]
enum Size {
    Tiny,
    Audiolm,
}

impl Size {
    fn config(self) -> SoundStreamConfig {
        match self {
            Self::Tiny => SoundStreamConfig::tiny_16khz(),
            Self::Audiolm => SoundStreamConfig::audiolm_16khz(),
        }
    }
}

/// The reconstruction loss of a batch of half seconds and its gradients, in samples per second.
#[divan::bench(args = [1, 6], sample_count = 5)]
fn learns(bencher: Bencher, batch: usize) {
    let device = Device::default().autodiff();
    let (codec, samples) = (codec(&device), SAMPLE_RATE_HZ / 2);
    let mel = MultiScaleMelLoss::new(SAMPLE_RATE_HZ, &device);
    let wave = noise(batch, samples, &device);
    let active = vec![N_QUANTIZERS; batch];
    bencher.counter(ItemsCount::new(batch * samples)).bench(|| {
        let output = codec.forward(wave.clone(), &active);
        mel.forward(wave.clone(), output.wave).backward()
    });
}
