//! A codec with FiLM learns to leave noise out when it is asked to, and to keep it when not.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_codec::{
    Denoise, FilmSide, QuantizerConfig, ResidualEma, SoundStream, SoundStreamConfig,
};
use audiolm_nn::generator;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;

const STEPS: u64 = 150;
const SAMPLES: usize = 1000;

fn toy(film: FilmSide) -> SoundStreamConfig {
    SoundStreamConfig {
        encoder_channels: 4,
        decoder_channels: 4,
        strides: vec![4, 5],
        dimension: 8,
        quantizer: QuantizerConfig::residual(4, 32),
        film: Some(film),
        ..SoundStreamConfig::tiny_16khz()
    }
}

/// A tone on each of four examples, each by so many radians a sample: `[4, 1, samples]`.
fn tones(angles: [f32; 4], device: &Device) -> Tensor<3> {
    let tone = |angle: f32| (0..SAMPLES).map(move |it| (angle * it as f32).sin() * 0.3);
    let samples: Vec<f32> = angles.into_iter().flat_map(tone).collect();
    Tensor::from_data(TensorData::new(samples, [4, 1, SAMPLES]), device)
}

/// In decibels (Le Roux et al. 2019, arXiv 1811.02508), mean over the batch.
fn si_sdr(target: Tensor<3>, output: Tensor<3>) -> f32 {
    let dot = |a: &Tensor<3>, b: &Tensor<3>| (a.clone() * b.clone()).sum_dim(2);
    let scaled = target.clone() * (dot(&output, &target) / dot(&target, &target));
    let rest = output - scaled.clone();
    let ratio = dot(&scaled, &scaled) / dot(&rest, &rest);
    ratio.log().mean().into_scalar::<f32>() * 10.0 / std::f32::consts::LN_10
}

fn fitted(codec: SoundStream, wave: &Tensor<3>) -> SoundStream {
    let vectors = codec.embed(wave.clone());
    codec.fit_codebooks(vectors, &mut generator(0, "codebooks", 0), |_| {})
}

fn check_learns(film: FilmSide) {
    let device = Device::default().autodiff();
    device.seed(0);
    let clean = tones([0.07, 0.09, 0.11, 0.13], &device);
    // A whistle: a toy has no codes for hiss, and so would leave that out unasked.
    let noisy = clean.clone() + tones([0.8, 0.85, 0.9, 0.95], &device);
    let mut codec = fitted(toy(film).init(&device).unwrap(), &noisy);
    let mut ema = ResidualEma::new(codec.quantizer(), 400);
    let mut optimizer = AdamWConfig::new().with_weight_decay(0.0).init();
    let wave = Tensor::cat(vec![noisy.clone(), noisy.clone()], 0);
    let target = Tensor::cat(vec![clean.clone(), noisy.clone()], 0);
    let denoise = [[Denoise::On; 4], [Denoise::Off; 4]].concat();
    for step in 0..STEPS {
        let output = codec.forward_with(wave.clone(), &[4; 8], &denoise);
        let loss = (output.wave - target.clone()).square().mean();
        let loss = loss * 10.0 + output.quantized.commitment.clone() * 0.01;
        let gradients = GradientsParams::from_grads(loss.backward(), &codec);
        codec = optimizer.step(2e-3, codec, gradients);
        let rng = &mut generator(0, "revival", step);
        let (next, quantizer) = ema.learn(codec.quantizer().clone(), &output.quantized, rng);
        (ema, codec) = (next, codec.with_quantizer(quantizer));
    }
    let output = codec.forward_with(wave, &[4; 8], &denoise).wave;
    let [on, off] = [0..4, 4..8].map(|it| output.clone().slice_dim(0, it));
    let kept = si_sdr(noisy, off.clone());
    let [on, off] = [on, off].map(|it| si_sdr(clean.clone(), it));
    // Both begin at 0 dB: the whistle is as loud as the tone.
    assert!(
        on > off + 6.0,
        "{film:?}: {on} dB of the clean wave when asked for it, {off} when not"
    );
    assert!(kept > 6.0, "{film:?}: {kept} dB of the noisy wave when asked for it");
}

#[test]
fn denoising_in_the_encoder_is_learnt() {
    check_learns(FilmSide::Encoder);
}

#[test]
fn denoising_in_the_decoder_is_learnt() {
    check_learns(FilmSide::Decoder);
}
