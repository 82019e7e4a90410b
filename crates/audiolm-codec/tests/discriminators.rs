//! The discriminators and the losses they are trained by: against PyTorch
//! (`fixtures/discriminators/make.py` wrote what is compared), by hand, and by what they must not
//! touch.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_codec::{
    DiscriminatorConfig, DiscriminatorOutput, DiscriminatorSet, FeatureDistance, LossBalancer,
    WeighedGradient, discriminator_hinge, feature_matching, generator_hinge,
};
use audiolm_nn::load_weights;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::{Distribution, Tolerance};
use safetensors::SafeTensors;

/// Single against double precision: PyTorch's own logits differ by 1e-6, its gradients by 6e-8 where
/// the greatest is 4e-2.
const ROUNDING: f32 = 3e-5;
const GRADIENT_ROUNDING: f32 = 2e-6;

fn small() -> Vec<DiscriminatorConfig> {
    vec![
        DiscriminatorConfig::MultiScaleWave { channels: 4, most_channels: 8 },
        DiscriminatorConfig::Stft { channels: 1 },
        DiscriminatorConfig::MultiScaleStft { channels: 3, windows: vec![512, 128] },
        DiscriminatorConfig::MultiPeriod { channels: 2, most_channels: 6, periods: vec![2, 3] },
    ]
}

fn set(device: &Device) -> DiscriminatorSet {
    device.seed(0);
    DiscriminatorConfig::init_set(&small(), device).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/discriminators").join(name)
}

struct Reference(Vec<u8>);

impl Reference {
    fn read() -> Self {
        Self(std::fs::read(fixture("reference.safetensors")).unwrap())
    }

    fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        let numbers = tensor.data().as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it));
        let shape: [usize; D] = tensor.shape().try_into().unwrap();
        Tensor::from_data(TensorData::new(numbers.collect::<Vec<_>>(), shape), device)
    }
}

#[track_caller]
fn check_near<const D: usize>(found: Tensor<D>, expected: Tensor<D>, tolerance: f32) {
    let tolerance = Tolerance::<f32>::absolute(tolerance);
    found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
}

#[test]
fn discriminators_equal_pytorch() {
    let device = Device::default();
    let reference = Reference::read();
    let set = load_weights(set(&device), &fixture("model.safetensors")).unwrap();
    let outputs = set.forward(reference.tensor("reconstruction", &device));
    assert_eq!(outputs.len(), 3 + 1 + 2 + 2);
    for (index, output) in outputs.into_iter().enumerate() {
        let expected: Tensor<4> = reference.tensor(&format!("logits.{index}"), &device);
        check_near(output.logits, expected.permute([0, 2, 3, 1]), ROUNDING);
        let means = output.features.into_iter().map(|it| it.abs().mean()).collect();
        let expected = reference.tensor(&format!("features.{index}"), &device);
        check_near(Tensor::cat(means, 0), expected, ROUNDING);
    }
}

#[test]
fn losses_and_the_gradient_of_the_wave_equal_pytorch() {
    let device = Device::default().autodiff();
    let reference = Reference::read();
    let set = load_weights(set(&device), &fixture("model.safetensors")).unwrap();
    let heard = reference.tensor::<3>("reconstruction", &device).require_grad();
    let real = set.forward(reference.tensor("recording", &device));
    let fake = set.forward(heard.clone());
    let features = |distance| feature_matching(&real, &fake, distance);
    let generator = generator_hinge(&fake);
    let relative = features(FeatureDistance::Relative);
    let losses = [
        discriminator_hinge(&real, &fake),
        generator.clone(),
        features(FeatureDistance::Absolute),
        relative.clone(),
    ];
    let expected = reference.tensor::<1>("losses", &device.clone().without_autodiff());
    check_near(Tensor::cat(losses.map(|it| it.inner()).into(), 0), expected, ROUNDING);
    let gradient = heard.grad(&(generator + relative).backward()).unwrap();
    let expected = reference.tensor("gradient", &device.without_autodiff());
    check_near(gradient, expected, GRADIENT_ROUNDING);
}

fn output(logits: [f32; 2], feature: [f32; 2], device: &Device) -> DiscriminatorOutput {
    let tensor = |it| Tensor::<1>::from_floats(it, device).reshape([1, 1, 1, 2]);
    DiscriminatorOutput { logits: tensor(logits), features: vec![tensor(feature)] }
}

#[track_caller]
fn check_value(found: Tensor<1>, expected: f32) {
    let found = found.into_scalar::<f32>();
    assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
}

#[test]
fn losses_have_the_values_of_the_formulas() {
    let device = &Device::default();
    // The first scale is sure of itself, the second undecided.
    let real = [output([2.0, 0.5], [1.0, -3.0], device), output([0.0; 2], [2.0; 2], device)];
    let fake = [output([-3.0, 0.5], [2.0, -3.0], device), output([0.0; 2], [1.0; 2], device)];
    check_value(discriminator_hinge(&real, &fake), ((0.25 + 0.75) + (1.0 + 1.0)) / 2.0);
    check_value(generator_hinge(&fake), (2.25 + 1.0) / 2.0);
    check_value(feature_matching(&real, &fake, FeatureDistance::Absolute), (0.5 + 1.0) / 2.0);
    check_value(feature_matching(&real, &fake, FeatureDistance::Relative), (0.25 + 0.5) / 2.0);
}

fn noise(samples: usize, device: &Device) -> Tensor<3> {
    Tensor::random([2, 1, samples], Distribution::Normal(0.0, 0.3), device)
}

#[track_caller]
fn check_lengths(config: DiscriminatorConfig) {
    let device = Device::default();
    let shortest = config.shortest_samples();
    let set = DiscriminatorConfig::init_set(&[config], &device).unwrap();
    for samples in [shortest, shortest + 1, 2 * shortest + 333] {
        for output in set.forward(noise(samples, &device)) {
            let [batch, _, _, channels] = output.logits.dims();
            assert_eq!([batch, channels], [2, 1]);
            assert!(output.logits.shape().num_elements() >= 2, "{:?}", output.logits.dims());
            assert!(output.features.len() >= 5);
        }
    }
}

#[test]
fn every_kind_takes_any_length_from_its_shortest_on() {
    small().into_iter().for_each(check_lengths);
}

#[test]
fn published_sets_can_be_built() {
    let device = Device::default();
    let scales = [
        (DiscriminatorConfig::sound_stream(), 4),
        (DiscriminatorConfig::encodec(), 5),
        (DiscriminatorConfig::multi_period(), 8),
    ];
    for (configs, expected) in scales {
        let set = DiscriminatorConfig::init_set(&configs, &device).unwrap();
        let wave = noise(2816, &device).slice_dim(0, ..1);
        assert_eq!(set.forward(wave).len(), expected, "{configs:?}");
    }
}

#[test]
fn nonsense_sizes_are_named() {
    let check = |config: DiscriminatorConfig, field: &str| {
        let error = DiscriminatorConfig::init_set(&[config], &Device::default()).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    };
    check(DiscriminatorConfig::MultiScaleWave { channels: 6, most_channels: 12 }, "channels");
    check(DiscriminatorConfig::MultiScaleStft { channels: 4, windows: vec![1000] }, "windows");
    let periods = vec![];
    check(DiscriminatorConfig::MultiPeriod { channels: 4, most_channels: 4, periods }, "periods");
}

#[test]
fn each_side_learns_from_its_own_loss_alone() {
    let device = Device::default().autodiff();
    let set = set(&device);
    let recording = noise(2816, &device);
    let heard = noise(2816, &device).require_grad();

    let real = set.forward(recording);
    let fake = set.forward(heard.clone().detach());
    let gradients = discriminator_hinge(&real, &fake).backward();
    assert!(heard.grad(&gradients).is_none());
    assert!(GradientsParams::from_grads(gradients, &set).len() > 50);

    let fake = set.clone().no_grad().forward(heard.clone());
    let loss = generator_hinge(&fake) + feature_matching(&real, &fake, FeatureDistance::Absolute);
    let gradients = loss.backward();
    let moved = heard.grad(&gradients).unwrap().abs().max().into_scalar::<f32>();
    assert!(moved > 0.0);
    assert!(GradientsParams::from_grads(gradients, &set).is_empty());
}

#[test]
fn balanced_losses_have_their_shares_of_the_gradient() {
    let device = Device::default();
    device.seed(0);
    // Of one length, and at right angles to one another.
    let half = noise(64, &device) * 1e3;
    let silence = half.zeros_like();
    let large = Tensor::cat(vec![half.clone(), silence.clone()], 2);
    let small = Tensor::cat(vec![silence, half * 1e-6], 2);
    let weighed = |name, share, gradient| WeighedGradient { name, share, gradient };
    let gradients = vec![weighed("large", 1.0, large), weighed("small", 3.0, small)];

    let mut balancer = LossBalancer::default();
    for _ in 0..3 {
        let balanced = balancer.balanced(gradients.clone());
        let norm = |it: Tensor<3>| it.square().sum_dim(2).sqrt().mean();
        check_value(norm(balanced.clone().slice_dim(2, ..64)), 0.25);
        check_value(norm(balanced.slice_dim(2, 64..)), 0.75);
    }
}

#[test]
fn sets_are_named_in_toml() {
    let text = "kind = \"multi_scale_stft\"\nchannels = 4\nwindows = [512, 256]\n";
    let read: DiscriminatorConfig = toml::from_str(text).unwrap();
    let expected = DiscriminatorConfig::MultiScaleStft { channels: 4, windows: vec![512, 256] };
    assert_eq!(read, expected);
    assert_eq!(toml::to_string(&expected).unwrap(), text);
    assert!(toml::from_str::<DiscriminatorConfig>("kind = \"stft\"\nchannel = 4").is_err());
}
