//! Laws of the codec: sizes of the paper, layouts, causality, learning.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_codec::{MultiScaleMelLoss, ResidualEma, SoundStream, SoundStreamConfig};
use audiolm_nn::{generator, parameter_count};
use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::{Distribution, Tolerance};

fn tiny(device: &Device) -> (SoundStreamConfig, SoundStream) {
    device.seed(0);
    let config = SoundStreamConfig {
        encoder_channels: 4,
        decoder_channels: 4,
        strides: vec![4, 5],
        dimension: 8,
        quantizer: audiolm_codec::QuantizerConfig::residual(4, 16),
        ..SoundStreamConfig::tiny_16khz()
    };
    let codec = config.init(device).unwrap().map(&mut Stirred);
    let codec = fitted(codec, device);
    (config, codec)
}

/// Noise on every weight: the untrained codec leaves many at zero, where a mistake goes unseen.
struct Stirred;

impl ModuleMapper for Stirred {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|it| {
            let noise = Tensor::random(it.dims(), Distribution::Normal(0.0, 0.1), &it.device());
            (it.clone() + noise).detach().set_require_grad(it.is_require_grad())
        })
    }
}

fn noise(shape: [usize; 3], device: &Device) -> Tensor<3> {
    Tensor::random(shape, Distribution::Normal(0.0, 0.3), device)
}

fn fitted(codec: SoundStream, device: &Device) -> SoundStream {
    let vectors = codec.embed(noise([4, 1, 3200], device));
    codec.fit_codebooks(vectors, &mut generator(0, "codebooks", 0), |_| {})
}

#[track_caller]
fn check_published_size(channels: usize, millions: f64) {
    let codec = SoundStreamConfig::sound_stream_24khz(channels).init(&Device::default()).unwrap();
    let codebooks: usize =
        codec.quantizer().codebooks().iter().map(|it| it.embedding().shape().num_elements()).sum();
    let found = (parameter_count(&codec) - codebooks) as f64 / 1e6;
    assert!(
        (found - millions).abs() < 0.005,
        "{found} million parameters, the paper has {millions}"
    );
}

#[test]
fn thirty_two_channels_have_the_published_size() {
    check_published_size(32, 8.40);
}

#[test]
fn sixteen_channels_have_the_published_size() {
    check_published_size(16, 2.43);
}

/// The share of a tone's energy that an untrained codec misses.
fn missed_of_tone(hertz: f32, config: &SoundStreamConfig) -> f32 {
    let device = Device::default();
    let codec = config.init(&device).unwrap();
    let angle = std::f32::consts::TAU * hertz / 16_000.0;
    let samples = (0..6400).map(|it| (it as f32 * angle).sin() * 0.1).collect::<Vec<_>>();
    let wave = Tensor::<3>::from_data(TensorData::new(samples, [1, 1, 6400]), &device);
    let output = codec.autoencode(wave.clone()).slice_dim(2, 320..);
    let wave = wave.slice_dim(2, 320..);
    let missed = (output - wave.clone()).square().mean() / wave.square().mean();
    missed.into_scalar::<f32>()
}

#[test]
fn an_untrained_codec_passes_the_bands_it_has_dimensions_for() {
    let config = SoundStreamConfig::tiny_16khz();
    for hertz in [110.0, 700.0, 2_000.0, 2_900.0] {
        let missed = missed_of_tone(hertz, &config);
        assert!(missed < 0.3, "{missed} of {hertz} Hz is missed");
    }
    let missed = missed_of_tone(5_000.0, &config);
    assert!(missed > 0.8, "only {missed} of 5 kHz is missed");
}

#[test]
fn an_untrained_codec_is_silent_where_it_has_no_dimensions() {
    let config = SoundStreamConfig { dimension: 32, ..SoundStreamConfig::tiny_16khz() };
    for (hertz, bounds) in [(110.0, 0.0..0.5), (600.0, 0.0..0.5), (3_000.0, 0.8..1.2)] {
        let missed = missed_of_tone(hertz, &config);
        assert!(bounds.contains(&missed), "{missed} of {hertz} Hz is missed");
    }
}

#[test]
fn any_length_is_padded_to_whole_frames() {
    let device = Device::default();
    let (_, codec) = tiny(&device);
    let codes = codec.encode(noise([2, 1, 41], &device));
    assert_eq!(codes.dims(), [2, 4, 3]);
    for n in 1..=4 {
        assert_eq!(codec.decode(codes.clone().slice_dim(1, ..n)).dims(), [2, 1, 60]);
    }
}

#[test]
fn later_sound_changes_no_earlier_code_or_sample() {
    let device = Device::default();
    let (_, codec) = tiny(&device);
    let wave = noise([1, 1, 400], &device);
    let other = Tensor::cat(vec![wave.clone().slice_dim(2, ..200), noise([1, 1, 200], &device)], 2);
    let [a, b] = [wave, other].map(|it| codec.encode(it));
    let codes = |it: &Tensor<3, Int>| it.clone().slice_dim(2, ..10).into_data();
    assert_eq!(codes(&a), codes(&b));
    let [a, b] = [a, b].map(|it| codec.decode(it).slice_dim(2, ..200).into_data());
    a.assert_approx_eq::<f32>(&b, Tolerance::absolute(1e-6));
}

#[test]
fn a_batch_encodes_as_its_rows_do() {
    let device = Device::default();
    let (_, codec) = tiny(&device);
    let waves = noise([3, 1, 400], &device);
    let whole = codec.encode(waves.clone());
    for row in 0..3 {
        let alone = codec.encode(waves.clone().slice_dim(0, row..row + 1)).into_data();
        assert_eq!(alone, whole.clone().slice_dim(0, row..row + 1).into_data());
    }
}

#[test]
fn every_further_codebook_lowers_the_residual() {
    let device = Device::default();
    let (_, codec) = tiny(&device);
    let seen = codec.forward(noise([4, 1, 3200], &device), &[4; 4]).quantized;
    let energy: Vec<f32> =
        seen.residuals.into_iter().map(|it| it.square().mean().into_scalar()).collect();
    assert!(energy.windows(2).all(|it| it[1] < it[0]), "{energy:?}");
}

#[test]
fn dropped_quantizers_do_not_reach_the_output() {
    let device = Device::default();
    let (_, codec) = tiny(&device);
    let wave = noise([2, 1, 400], &device);
    let dropped = codec.forward(wave.clone(), &[2, 4]).wave;
    let codes = codec.encode(wave);
    let first_two = codec.decode(codes.clone().slice_dim(1, ..2)).slice_dim(0, ..1);
    let all = codec.decode(codes).slice_dim(0, 1..);
    let expected = Tensor::cat(vec![first_two, all], 0).into_data();
    dropped
        .into_data()
        .assert_approx_eq::<f32>(&expected, Tolerance::relative(1e-5).set_absolute(1e-5));
}

#[test]
fn averages_move_codebooks_towards_their_vectors() {
    let device = Device::default();
    let (_, codec) = tiny(&device);
    let wave = noise([4, 1, 3200], &device) * 3.0;
    let distortion = |it: &SoundStream| -> f32 {
        it.forward(wave.clone(), &[4; 4]).quantized.commitment.into_scalar()
    };
    let mut trained = codec.clone();
    let mut ema = ResidualEma::new(codec.quantizer(), 640);
    for step in 0..60 {
        let seen = trained.forward(wave.clone(), &[4; 4]).quantized;
        let rng = &mut generator(0, "revival", step);
        let (next, quantizer) = ema.learn(trained.quantizer().clone(), &seen, rng);
        (ema, trained) = (next, trained.with_quantizer(quantizer));
    }
    assert!(distortion(&trained) < 0.8 * distortion(&codec));
}

#[test]
fn folders_keep_configuration_and_weights() {
    let device = Device::default();
    let (config, codec) = tiny(&device);
    let folder = tempfile::tempdir().unwrap();
    codec.save_to(folder.path(), &config, audiolm_nn::Precision::Full).unwrap();
    let loaded = SoundStream::load_from(folder.path(), &device).unwrap();
    let wave = noise([1, 1, 400], &device);
    assert_eq!(codec.encode(wave.clone()).into_data(), loaded.encode(wave).into_data());
    assert_eq!(SoundStreamConfig::load_from(folder.path()).unwrap(), config);
}

#[test]
fn nonsense_sizes_are_named() {
    let mut config = SoundStreamConfig::tiny_16khz();
    config.strides = vec![4, 0];
    let error = config.init(&Device::default()).unwrap_err().to_string();
    assert!(error.contains("strides") && error.contains("[4, 0]"), "{error}");
}

#[test]
fn one_batch_is_learnt() {
    use burn::optim::{AdamWConfig, GradientsParams};
    let device = Device::default().autodiff();
    let (_, mut codec) = tiny(&device);
    let samples = (0..2 * 4000).map(|it| (0.07 * it as f32).sin() * 0.5).collect::<Vec<_>>();
    let wave = Tensor::<3>::from_data(TensorData::new(samples, [2, 1, 4000]), &device);
    let mel = MultiScaleMelLoss::new(16_000, &device);
    let mut optimizer = AdamWConfig::new().init();
    let mut ema = ResidualEma::new(codec.quantizer(), 400);
    let mut losses = Vec::new();
    for step in 0..60 {
        let output = codec.forward(wave.clone(), &[4, 4]);
        let loss = mel.forward(wave.clone(), output.wave) + output.quantized.commitment.clone();
        losses.push(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &codec);
        codec = optimizer.step(3e-3, codec, gradients);
        let rng = &mut generator(0, "revival", step);
        let (next, quantizer) = ema.learn(codec.quantizer().clone(), &output.quantized, rng);
        (ema, codec) = (next, codec.with_quantizer(quantizer));
    }
    assert!(losses[59] < 0.5 * losses[0], "from {} to {}", losses[0], losses[59]);
}

#[test]
fn chunks_have_the_codes_of_the_whole() {
    let device = Device::default();
    let (_, codec) = tiny(&device);
    let wave = noise([1, 1, 20 * 150 + 7], &device);
    let whole = codec.encode(wave.clone()).into_data();
    for chunk_frames in [1, 30, 400] {
        assert_eq!(codec.encode_in_chunks(wave.clone(), chunk_frames).into_data(), whole);
    }
}
