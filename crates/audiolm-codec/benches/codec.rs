//! What sound costs to encode, to decode and to learn, and the layers it spends that on: figures
//! beside those of `pytorch.py`, which prints the same names. `docs/performance.md` compares them.

// A benchmark that unwraps fails where it should.
#![allow(clippy::unwrap_used)]

use std::fmt;

use audiolm_codec::{
    DiscriminatorConfig, FeatureDistance, MultiScaleMelLoss, SoundStream, SoundStreamConfig,
    discriminator_hinge, feature_matching, generator_hinge,
};
use audiolm_nn::{CausalConv1dConfig, CausalConvTranspose1dConfig, elu};
use burn::module::Module;
use burn::prelude::*;
use burn::tensor::Distribution;
use divan::Bencher;
use divan::counter::ItemsCount;

const SAMPLE_RATE_HZ: usize = 16_000;
/// The clip that is encoded and decoded.
const SECONDS: usize = 10;
/// Examples of a second in a batch to learn from.
const BATCH: usize = 4;
/// Those of SoundStream, in their order.
const DISCRIMINATORS: [&str; 2] = ["multi_scale_wave", "stft"];

fn main() {
    audiolm_flex::install();
    audiolm_flex::work_on_this_thread();
    divan::main();
}

#[derive(Debug, Clone, Copy)]
enum Size {
    Published,
    Tiny,
}

impl Size {
    const ALL: [Self; 2] = [Self::Published, Self::Tiny];

    fn config(self) -> SoundStreamConfig {
        match self {
            Self::Published => SoundStreamConfig::audiolm_16khz(),
            Self::Tiny => SoundStreamConfig::tiny_16khz(),
        }
    }

    fn codec(self, device: &Device) -> SoundStream {
        self.config().init(device).unwrap()
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published => "audiolm_16khz",
            Self::Tiny => "tiny_16khz",
        })
    }
}

/// The layers at one rate of the published size: channels, and frames of ten seconds.
#[derive(Debug, Clone, Copy)]
struct Level {
    channels: usize,
    frames: usize,
    stride: usize,
}

impl Level {
    const ALL: [Self; 4] = [
        Self { channels: 32, frames: 160_000, stride: 2 },
        Self { channels: 64, frames: 80_000, stride: 4 },
        Self { channels: 128, frames: 20_000, stride: 5 },
        Self { channels: 256, frames: 4_000, stride: 8 },
    ];

    fn signal(self, device: &Device) -> Tensor<3> {
        Tensor::random([1, self.frames, self.channels], Distribution::Normal(0.0, 1.0), device)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.channels)
    }
}

fn noise(batch: usize, samples: usize, device: &Device) -> Tensor<3> {
    Tensor::random([batch, 1, samples], Distribution::Normal(0.0, 0.1), device)
}

/// The codes of a clip, in samples per second.
#[divan::bench(args = Size::ALL, sample_count = 9)]
fn encodes(bencher: Bencher, size: Size) {
    let device = Device::default();
    let (codec, wave) = (size.codec(&device), noise(1, SECONDS * SAMPLE_RATE_HZ, &device));
    bencher
        .counter(ItemsCount::new(SECONDS * SAMPLE_RATE_HZ))
        .bench(|| codec.encode(wave.clone()).into_data());
}

/// The sound of a clip, in samples per second.
#[divan::bench(args = Size::ALL, sample_count = 9)]
fn decodes(bencher: Bencher, size: Size) {
    let device = Device::default();
    let codec = size.codec(&device);
    let codes = codec.encode(noise(1, SECONDS * SAMPLE_RATE_HZ, &device));
    bencher
        .counter(ItemsCount::new(SECONDS * SAMPLE_RATE_HZ))
        .bench(|| codec.decode(codes.clone()).into_data());
}

/// A second encoded and decoded a frame at a time, in samples per second.
#[divan::bench(args = Size::ALL, sample_count = 9)]
fn streams(bencher: Bencher, size: Size) {
    let device = Device::default();
    let (codec, wave) = (size.codec(&device), noise(1, SAMPLE_RATE_HZ, &device));
    let chunks = wave.split(codec.hop_samples(), 2);
    bencher.counter(ItemsCount::new(SAMPLE_RATE_HZ)).bench(|| {
        let mut heard = codec.encoder().silence(1, &device);
        let mut spoken = codec.decoder().silence(1, &device);
        for chunk in &chunks {
            let codes = codec.encode_step(chunk.clone(), &mut heard);
            codec.decode_step(codes, &mut spoken).into_data();
        }
    });
}

/// The reconstruction loss of a batch and its gradients, in samples per second.
#[divan::bench(args = Size::ALL, sample_count = 5)]
fn learns(bencher: Bencher, size: Size) {
    let device = Device::default().autodiff();
    let codec = size.codec(&device);
    let mel = MultiScaleMelLoss::new(SAMPLE_RATE_HZ, &device);
    let wave = noise(BATCH, SAMPLE_RATE_HZ, &device);
    let active = vec![size.config().quantizer.n_quantizers(); BATCH];
    bencher.counter(ItemsCount::new(BATCH * SAMPLE_RATE_HZ)).bench(|| {
        let output = codec.forward(wave.clone(), &active);
        mel.forward(wave.clone(), output.wave).backward()
    });
}

/// SoundStream's discriminators of a batch of recordings and reconstructions, and what each side
/// learns from them, in samples per second.
#[divan::bench(args = DISCRIMINATORS, sample_count = 5)]
fn judges(bencher: Bencher, name: &str) {
    let device = Device::default().autodiff();
    let index = DISCRIMINATORS.iter().position(|it| *it == name).unwrap();
    let config = DiscriminatorConfig::sound_stream().swap_remove(index);
    let set = DiscriminatorConfig::init_set(&[config], &device).unwrap();
    let waves = [(); 2].map(|()| noise(BATCH, SAMPLE_RATE_HZ, &device));
    bencher.counter(ItemsCount::new(BATCH * SAMPLE_RATE_HZ)).bench(|| {
        let judged = set.forward(Tensor::cat(waves.to_vec(), 0));
        let part = |first, end| judged.iter().map(|it| it.examples(first, end)).collect::<Vec<_>>();
        let (recording, reconstruction) = (part(0, BATCH), part(BATCH, 2 * BATCH));
        discriminator_hinge(&recording, &reconstruction).backward();
        let heard = set.clone().no_grad().forward(waves[1].clone().require_grad());
        let matched = feature_matching(&recording, &heard, FeatureDistance::Absolute);
        (generator_hinge(&heard) + matched).backward()
    });
}

/// A unit's dilated convolution by dilation, in multiplications with addition per second.
#[divan::bench(args = Level::ALL, consts = [1, 9], sample_count = 9)]
fn dilated<const DILATION: usize>(bencher: Bencher, level: Level) {
    let device = Device::default();
    let (wide, narrow) = (level.channels, level.channels / 2);
    let config = CausalConv1dConfig::new(wide, narrow, 7).with_dilation(DILATION);
    let (layer, signal) = (config.init(&device).unwrap(), level.signal(&device));
    bencher
        .counter(ItemsCount::new(7 * wide * narrow * level.frames))
        .bench(|| layer.forward(signal.clone()));
}

/// The convolution that ends a block of the encoder, as above.
#[divan::bench(args = Level::ALL, sample_count = 9)]
fn downsamples(bencher: Bencher, level: Level) {
    let device = Device::default();
    let Level { channels, frames, stride } = level;
    let config = CausalConv1dConfig::new(channels, 2 * channels, 2 * stride).with_stride(stride);
    let (layer, signal) = (config.init(&device).unwrap(), level.signal(&device));
    bencher
        .counter(ItemsCount::new(4 * channels * channels * frames))
        .bench(|| layer.forward(signal.clone()));
}

/// The transposed convolution that begins a block of the decoder, as above.
#[divan::bench(args = Level::ALL, sample_count = 9)]
fn upsamples(bencher: Bencher, level: Level) {
    let device = Device::default();
    let Level { channels, frames, stride } = level;
    let layer = CausalConvTranspose1dConfig::new(2 * channels, channels, stride);
    let layer = layer.init(&device).unwrap();
    let shape = [1, frames / stride, 2 * channels];
    let signal = Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    bencher
        .counter(ItemsCount::new(4 * channels * channels * frames))
        .bench(|| layer.forward(signal.clone()));
}

/// The activation of a level's signal, in numbers per second.
#[divan::bench(args = Level::ALL, sample_count = 9)]
fn activates(bencher: Bencher, level: Level) {
    let signal = level.signal(&Device::default());
    bencher.counter(ItemsCount::new(level.channels * level.frames)).bench(|| elu(signal.clone()));
}

/// A product of square matrices, what the machine can do: multiplications with addition per second.
#[divan::bench(args = [256, 1024], sample_count = 9)]
fn multiplies(bencher: Bencher, n: usize) {
    let device = Device::default();
    let matrix = Tensor::<2>::random([n, n], Distribution::Normal(0.0, 1.0), &device);
    bencher.counter(ItemsCount::new(n * n * n)).bench(|| matrix.clone().matmul(matrix.clone()));
}
