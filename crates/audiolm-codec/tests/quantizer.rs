//! Laws that quantizers of every kind obey.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_codec::{
    FactorizedQuantizerConfig, FiniteScalarQuantizerConfig, QuantizedOutput, Quantizer,
    QuantizerConfig, ResidualEma, SoundStream, SoundStreamConfig,
};
use audiolm_nn::{Precision, generator};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::{Distribution, Tolerance};
use safetensors::SafeTensors;

/// Sums of a few vectors of length about 3, in another order.
const ROUNDING: f32 = 1e-5;
const DIMENSION: usize = 8;

fn residual() -> QuantizerConfig {
    QuantizerConfig::residual(4, 16)
}

fn factorized() -> QuantizerConfig {
    QuantizerConfig::Factorized(FactorizedQuantizerConfig::new(4, 16, 3))
}

/// 15 codes, which is no power of two.
fn finite_scalar() -> QuantizerConfig {
    QuantizerConfig::FiniteScalar(FiniteScalarQuantizerConfig::new(4, vec![5, 3]))
}

fn kinds() -> [QuantizerConfig; 3] {
    [residual(), factorized(), finite_scalar()]
}

/// Vectors that vary more in some dimensions than in others.
fn vectors(n: usize, device: &Device) -> Tensor<2> {
    device.seed(7);
    let noise = Tensor::random([n, DIMENSION], Distribution::Normal(0.0, 1.0), device);
    let scales: Vec<f32> = (0..DIMENSION).map(|it| 3.0 / (it + 1) as f32).collect();
    noise * Tensor::<2>::from_data(TensorData::new(scales, [1, DIMENSION]), device) + 0.5
}

fn fitted(config: &QuantizerConfig, device: &Device) -> Quantizer {
    let rng = &mut generator(0, "fit", 0);
    config.init(DIMENSION, device).unwrap().fitted(vectors(600, device), rng, |_| {})
}

/// Examples of ten frames each.
fn examples(n: usize, device: &Device) -> Tensor<3> {
    vectors(10 * n, device).reshape([n, 10, DIMENSION])
}

/// The mean squared error of each number of leading quantizers, after none.
fn errors(quantizer: &Quantizer, frames: Tensor<3>) -> Vec<f32> {
    let codes = quantizer.encode(frames.clone());
    let error = |found: Tensor<3>| (found - frames.clone()).square().mean().into_scalar::<f32>();
    let none = error(frames.clone().mean_dim(0).mean_dim(1).expand(frames.dims()));
    let some = (1..=codes.dims()[1]).map(|n| {
        let leading = codes.clone().slice_dim(1, ..n);
        error(quantizer.decode(leading))
    });
    std::iter::once(none).chain(some).collect()
}

#[test]
fn each_fitted_quantizer_lowers_the_error() {
    let device = Device::default();
    for config in kinds() {
        let frames = vectors(600, &device).reshape([1, 600, DIMENSION]);
        let errors = errors(&fitted(&config, &device), frames);
        assert!(errors.windows(2).all(|it| it[1] < it[0]), "{config:?}: {errors:?}");
    }
}

#[test]
fn fitting_announces_each_quantizer() {
    let device = Device::default();
    for config in kinds() {
        let mut done = Vec::new();
        let rng = &mut generator(0, "fit", 0);
        let fresh = config.init(DIMENSION, &device).unwrap();
        fresh.fitted(vectors(100, &device), rng, |it| done.push(it));
        assert_eq!(done, [1, 2, 3, 4]);
    }
}

#[test]
fn each_example_drops_its_own_quantizers() {
    let device = Device::default();
    for config in kinds() {
        let quantizer = fitted(&config, &device);
        let frames = examples(3, &device);
        let output = quantizer.forward(frames.clone(), &[1, 3, 4]);
        let codes = quantizer.encode(frames);
        assert_eq!(output.codes.into_data(), codes.clone().into_data(), "{config:?}");
        for (example, n) in [1, 3, 4].into_iter().enumerate() {
            let own = |it: Tensor<3>| it.slice_dim(0, example..example + 1).into_data();
            let expected = own(quantizer.decode(codes.clone().slice_dim(1, ..n)));
            let tolerance = Tolerance::<f32>::absolute(ROUNDING);
            own(output.quantized.clone()).assert_approx_eq(&expected, tolerance);
        }
    }
}

#[test]
fn quantizers_have_the_sizes_of_their_configuration() {
    let device = Device::default();
    for config in kinds() {
        let quantizer = config.init(DIMENSION, &device).unwrap();
        assert_eq!(quantizer.n_quantizers(), config.n_quantizers());
        assert_eq!(quantizer.codebook_size(), config.codebook_size());
    }
}

#[test]
fn codes_are_below_the_codebook_size() {
    let device = Device::default();
    for config in kinds() {
        let codes = fitted(&config, &device).encode(examples(3, &device) * 100.0);
        let highest = codes.clone().max().into_scalar::<i64>() as usize;
        assert!(codes.min().into_scalar::<i64>() >= 0 && highest < config.codebook_size());
    }
}

#[test]
fn the_gradient_of_a_residual_sum_passes_straight_through() {
    let device = Device::default().autodiff();
    let quantizer = fitted(&residual(), &device);
    let input = examples(2, &device).detach().require_grad();
    let weights = examples(2, &device).square().detach();
    let loss = (quantizer.forward(input.clone(), &[2, 4]).quantized * weights.clone()).sum();
    let gradient = input.grad(&loss.backward()).unwrap();
    assert_eq!(gradient.into_data(), weights.inner().into_data());
}

/// Whether gradients of the quantised vectors, the commitment and the codebook loss, reach the
/// input.
#[track_caller]
fn check_reach(config: &QuantizerConfig, expected: [bool; 3]) {
    let device = Device::default().autodiff();
    let quantizer = fitted(config, &device);
    let reaches = |loss: fn(QuantizedOutput) -> Tensor<1>| {
        let input = examples(2, &device).detach().require_grad();
        let loss = loss(quantizer.forward(input.clone(), &[4, 4]));
        // What does not depend on anything has no gradients to ask for.
        let gradients = (loss + input.clone().sum() * 0.0).backward();
        input.grad(&gradients).unwrap().abs().max().into_scalar::<f32>() > 0.0
    };
    let reaches = [
        reaches(|it| it.quantized.square().sum()),
        reaches(|it| it.commitment),
        reaches(|it| it.codebook),
    ];
    assert_eq!(reaches, expected);
}

#[test]
fn residual_quantizers_commit_the_encoder() {
    check_reach(&residual(), [true, true, false]);
}

#[test]
fn finite_scalars_need_no_commitment() {
    check_reach(&finite_scalar(), [true, false, false]);
}

#[test]
fn factorised_codes_teach_encoder_and_codebook_apart() {
    // Beyond the first, what a quantizer is given depends on the codebooks before it: look at one.
    let one = FactorizedQuantizerConfig::new(1, 16, 3);
    check_reach(&QuantizerConfig::Factorized(one), [true, true, false]);
}

/// The error of all quantizers before and after they learnt as a trainer would have them.
fn taught(config: &QuantizerConfig) -> [f32; 2] {
    let device = Device::default().autodiff();
    device.seed(3);
    let mut quantizer = config.init(DIMENSION, &device).unwrap();
    let frames = examples(40, &device).detach().require_grad();
    let error = |it: &Quantizer| *errors(it, frames.clone()).last().unwrap();
    let before = error(&quantizer);
    let mut averages = ResidualEma::new(&quantizer, 400);
    let mut optimizer = AdamWConfig::new().with_weight_decay(0.0).init();
    for step in 0..150 {
        let output = quantizer.forward(frames.clone(), &[4; 40]);
        let error = (output.quantized.clone() - frames.clone()).square().mean();
        let loss = error + output.commitment.clone() * 0.25 + output.codebook.clone();
        let gradients = GradientsParams::from_grads(loss.backward(), &quantizer);
        quantizer = optimizer.step(1e-2, quantizer, gradients);
        let rng = &mut generator(0, "revival", step);
        (averages, quantizer) = averages.learn(quantizer, &output, rng);
    }
    [before, error(&quantizer)]
}

#[test]
fn every_kind_learns_from_one_loss_and_one_call() {
    for config in kinds() {
        let [before, after] = taught(&config);
        assert!(after < 0.25 * before, "{config:?}: from {before} to {after}");
    }
}

fn codec_config(quantizer: QuantizerConfig) -> SoundStreamConfig {
    SoundStreamConfig {
        encoder_channels: 4,
        decoder_channels: 4,
        strides: vec![4, 5],
        dimension: DIMENSION,
        quantizer,
        ..SoundStreamConfig::tiny_16khz()
    }
}

#[test]
fn codecs_of_every_kind_are_saved_and_loaded() {
    let device = Device::default();
    for config in kinds().map(codec_config) {
        let folder = tempfile::tempdir().unwrap();
        let codec = config.init(&device).unwrap();
        let wave = Tensor::random([1, 1, 4000], Distribution::Normal(0.0, 0.3), &device);
        let vectors = codec.embed(wave.clone());
        let codec = codec.fit_codebooks(vectors, &mut generator(0, "fit", 0), |_| {});
        codec.save_to(folder.path(), &config, Precision::Full).unwrap();
        assert_eq!(SoundStreamConfig::load_from(folder.path()).unwrap(), config);
        let loaded = SoundStream::load_from(folder.path(), &device).unwrap();
        let codes = codec.encode(wave.clone());
        assert!(codes.clone().max().into_scalar::<i64>() > 0);
        assert_eq!(loaded.encode(wave).into_data(), codes.into_data(), "{config:?}");
    }
}

#[test]
fn tensors_of_a_residual_codec_have_the_names_they_always_had() {
    let device = Device::default();
    let config = codec_config(residual());
    let folder = tempfile::tempdir().unwrap();
    let codec = config.init(&device).unwrap();
    codec.save_to(folder.path(), &config, Precision::Full).unwrap();
    let bytes = std::fs::read(folder.path().join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let names = file.names();
    for level in 0..4 {
        let name = format!("quantizer.codebooks.{level}.embedding");
        assert!(names.contains(&&name[..]), "{name} is not among {names:?}");
    }
}
