//! Laws of the codec's options, alone and together: attention, FiLM, stereo.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_codec::{
    Channels, Denoise, FilmSide, LocalAttentionConfig, QuantizerConfig, SoundStream,
    SoundStreamConfig,
};
use audiolm_nn::{Precision, generator};
use burn::config::Config;
use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::Distribution;
use proptest::prelude::*;

const HOP: usize = 20;
/// Products of other shapes add up in other orders: so much of the greatest value, 170 times what 32
/// bits round by.
const ROUNDING: f32 = 2e-5;

fn toy() -> SoundStreamConfig {
    SoundStreamConfig {
        encoder_channels: 4,
        decoder_channels: 4,
        strides: vec![4, 5],
        dimension: 8,
        quantizer: QuantizerConfig::residual(4, 16),
        ..SoundStreamConfig::tiny_16khz()
    }
}

fn attention(n_layers: usize, window_frames: usize) -> LocalAttentionConfig {
    LocalAttentionConfig { n_layers, n_heads: 2, window_frames }
}

/// Noise on every weight: untrained options change nothing, so that a mistake would go unseen.
struct Stirred;

impl ModuleMapper for Stirred {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|it| {
            let noise = Tensor::random(it.dims(), Distribution::Normal(0.0, 0.1), &it.device());
            it + noise
        })
    }
}

fn codec(config: &SoundStreamConfig, device: &Device) -> SoundStream {
    device.seed(0);
    let codec = config.init(device).unwrap().map(&mut Stirred);
    let vectors = codec.embed(noise(config, 160, device));
    codec.fit_codebooks(vectors, &mut generator(0, "codebooks", 0), |_| {})
}

/// Two examples.
fn noise(config: &SoundStreamConfig, frames: usize, device: &Device) -> Tensor<3> {
    let shape = [2, config.channels.count(), frames * HOP];
    Tensor::random(shape, Distribution::Normal(0.0, 0.3), device)
}

/// One example without its noise, where the codec can leave it out, and one with it.
fn choices(film: Option<FilmSide>, side: FilmSide) -> [Denoise; 2] {
    let first = if film == Some(side) { Denoise::On } else { Denoise::Off };
    [first, Denoise::Off]
}

fn every_config() -> impl Strategy<Value = SoundStreamConfig> {
    let channels = prop_oneof![Just(Channels::Mono), Just(Channels::Stereo)];
    let attention = prop::option::of((1_usize..3, 2_usize..6).prop_map(|it| attention(it.0, it.1)));
    let film = prop::option::of(prop_oneof![Just(FilmSide::Encoder), Just(FilmSide::Decoder)]);
    (channels, attention, film).prop_map(|(channels, attention, film)| SoundStreamConfig {
        channels,
        attention,
        film,
        ..toy()
    })
}

/// `[start, end]` of each chunk.
fn spans(chunks: &[usize]) -> Vec<[usize; 2]> {
    let spans = chunks.iter().scan(0, |end, it| {
        *end += it;
        Some([*end - it, *end])
    });
    spans.collect()
}

fn check_near(found: Tensor<3>, expected: Tensor<3>) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.dims(), expected.dims());
    let greatest = expected.clone().abs().max().into_scalar::<f32>();
    let error = (found - expected).abs().max().into_scalar::<f32>();
    prop_assert!(error < ROUNDING * greatest, "{} of {}", error, greatest);
    Ok(())
}

fn frames_in_chunks(codec: &SoundStream, wave: Tensor<3>, chunks: &[usize]) -> Tensor<3> {
    let silence = codec.encoder().silence(2, &wave.device());
    let mut state = silence.with_denoise(&choices(codec.film(), FilmSide::Encoder));
    let steps = spans(chunks).into_iter().map(|[start, end]| {
        let chunk = wave.clone().slice_dim(2, start * HOP..end * HOP);
        codec.encoder().step(chunk, &mut state)
    });
    Tensor::cat(steps.collect(), 1)
}

fn wave_in_chunks(codec: &SoundStream, codes: Tensor<3, Int>, chunks: &[usize]) -> Tensor<3> {
    let silence = codec.decoder().silence(2, &codes.device());
    let mut state = silence.with_denoise(&choices(codec.film(), FilmSide::Decoder));
    let steps = spans(chunks)
        .into_iter()
        .map(|[start, end]| codec.decode_step(codes.clone().slice_dim(2, start..end), &mut state));
    Tensor::cat(steps.collect(), 2)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn chunks_are_the_whole_with_any_options(
        config in every_config(),
        chunks in prop::collection::vec(1_usize..12, 1..6),
    ) {
        let device = Device::default();
        let codec = codec(&config, &device);
        let frames = chunks.iter().sum();
        let wave = noise(&config, frames, &device);
        let whole = frames_in_chunks(&codec, wave.clone(), &[frames]);
        check_near(frames_in_chunks(&codec, wave.clone(), &chunks), whole)?;
        let codes = codec.encode(wave);
        let whole = wave_in_chunks(&codec, codes.clone(), &[frames]);
        check_near(wave_in_chunks(&codec, codes, &chunks), whole)?;
    }

    #[test]
    fn later_sound_changes_nothing_earlier_with_any_options(
        config in every_config(),
        frames in 2_usize..16,
        share in 0.1_f64..0.9,
    ) {
        let device = Device::default();
        let codec = codec(&config, &device);
        let kept = ((frames as f64 * share) as usize).max(1);
        let wave = noise(&config, frames, &device);
        let late = noise(&config, frames - kept, &device);
        let other = Tensor::cat(vec![wave.clone().slice_dim(2, ..kept * HOP), late], 2);
        let [a, b] = [wave, other].map(|it| frames_in_chunks(&codec, it, &[frames]));
        check_near(a.slice_dim(1, ..kept), b.slice_dim(1, ..kept))?;
    }

    #[test]
    fn no_option_delays_a_frame(config in every_config()) {
        let device = Device::default();
        let codec = codec(&config, &device);
        let wave = noise(&config, 1, &device);
        let mut state = codec.encoder().silence(2, &device);
        let codes = codec.encode_step(wave.clone(), &mut state);
        prop_assert_eq!(codes.dims(), [2, 4, 1]);
        let mut state = codec.decoder().silence(2, &device);
        let decoded = codec.decode_step(codes, &mut state);
        prop_assert_eq!(decoded.dims(), wave.dims());
    }

    #[test]
    fn folders_keep_every_option(config in every_config()) {
        let device = Device::default();
        let codec = codec(&config, &device);
        let folder = tempfile::tempdir().unwrap();
        codec.save_to(folder.path(), &config, Precision::Full).unwrap();
        prop_assert_eq!(&SoundStreamConfig::load_from(folder.path()).unwrap(), &config);
        let loaded = SoundStream::load_from(folder.path(), &device).unwrap();
        let wave = noise(&config, 3, &device);
        prop_assert_eq!(codec.encode(wave.clone()).into_data(), loaded.encode(wave).into_data());
    }
}

#[test]
fn stereo_comes_back_as_stereo() {
    let device = Device::default();
    let config = SoundStreamConfig { channels: Channels::Stereo, ..toy() };
    let codec = codec(&config, &device);
    let wave = noise(&config, 3, &device).slice_dim(2, ..41);
    let codes = codec.encode(wave);
    assert_eq!(codes.dims(), [2, 4, 3]);
    assert_eq!(codec.decode(codes).dims(), [2, 2, 60]);
}

/// The share of a tone's energy that an untrained stereo codec misses, with the tone on both sides
/// at these levels.
#[track_caller]
fn check_passes(levels: [f32; 2]) {
    let device = Device::default();
    let config =
        SoundStreamConfig { channels: Channels::Stereo, ..SoundStreamConfig::tiny_16khz() };
    let codec = config.init(&device).unwrap();
    let angle = std::f32::consts::TAU * 700.0 / 16_000.0;
    let side = |level: f32| (0..6400).map(move |it| (it as f32 * angle).sin() * level);
    let samples: Vec<f32> = levels.into_iter().flat_map(side).collect();
    let wave = Tensor::<3>::from_data(TensorData::new(samples, [1, 2, 6400]), &device);
    let output = codec.autoencode(wave.clone()).slice_dim(2, 320..);
    let wave = wave.slice_dim(2, 320..);
    let missed = (output - wave.clone()).square().mean() / wave.square().mean();
    let missed = missed.into_scalar::<f32>();
    assert!(missed < 0.3, "{missed} is missed at {levels:?}");
}

#[test]
fn an_untrained_stereo_codec_passes_each_side() {
    check_passes([0.1, 0.0]);
    check_passes([0.0, 0.1]);
    check_passes([0.1, 0.1]);
    check_passes([0.1, -0.1]);
}

#[test]
fn untrained_options_change_nothing() {
    let device = Device::default();
    let plain = toy().init(&device).unwrap();
    let wave = noise(&toy(), 12, &device);
    let expected = plain.autoencode(wave.clone());
    for film in [FilmSide::Encoder, FilmSide::Decoder] {
        let config =
            SoundStreamConfig { attention: Some(attention(2, 4)), film: Some(film), ..toy() };
        let codec = config.init(&device).unwrap();
        assert_eq!(codec.film(), Some(film));
        for denoise in [Denoise::Off, Denoise::On] {
            let on = |side| if side == film { [denoise; 2] } else { [Denoise::Off; 2] };
            let encoder = codec.encoder().silence(2, &device);
            let frames = codec
                .encoder()
                .step(wave.clone(), &mut encoder.with_denoise(&on(FilmSide::Encoder)));
            let decoder = codec.decoder().silence(2, &device);
            let found =
                codec.decoder().step(frames, &mut decoder.with_denoise(&on(FilmSide::Decoder)));
            check_near(found, expected.clone()).unwrap();
        }
    }
}

#[test]
fn the_choice_may_change_between_chunks() {
    let device = Device::default();
    let config = SoundStreamConfig { film: Some(FilmSide::Encoder), ..toy() };
    let codec = codec(&config, &device);
    let wave = noise(&config, 8, &device);
    let [first, second] = [0..4 * HOP, 4 * HOP..8 * HOP].map(|it| wave.clone().slice_dim(2, it));
    let frames = |then: Denoise| {
        let mut state = codec.encoder().silence(2, &device);
        let before = codec.encoder().step(first.clone(), &mut state);
        let after = codec.encoder().step(second.clone(), &mut state.with_denoise(&[then; 2]));
        [before, after].map(Tensor::into_data)
    };
    let ([before_off, after_off], [before_on, after_on]) =
        (frames(Denoise::Off), frames(Denoise::On));
    assert_eq!(before_off, before_on);
    assert_ne!(after_off, after_on);
}

#[test]
fn the_side_with_the_film_follows_the_choice() {
    let device = Device::default();
    for film in [FilmSide::Encoder, FilmSide::Decoder] {
        let config = SoundStreamConfig { film: Some(film), ..toy() };
        let codec = codec(&config, &device);
        let wave = noise(&config, 4, &device);
        let codes = codec.encode(wave.clone());
        let [off, on] = [Denoise::Off, Denoise::On].map(|denoise| match film {
            FilmSide::Encoder => codec.decode(codec.encode_with(wave.clone(), denoise)),
            FilmSide::Decoder => codec.decode_with(codes.clone(), denoise),
        });
        check_near(off.clone(), codec.decode(codes.clone())).unwrap();
        assert_ne!(off.clone().into_data(), on.clone().into_data());
        let trained = codec.forward_with(wave, &[4; 2], &[Denoise::On, Denoise::Off]).wave;
        let expected = Tensor::cat(vec![on.slice_dim(0, ..1), off.slice_dim(0, 1..)], 0);
        check_near(trained, expected).unwrap();
    }
}

#[test]
#[should_panic(expected = "no FiLM layer")]
fn a_codec_without_film_does_not_pretend_to_denoise() {
    let device = Device::default();
    let codec = codec(&toy(), &device);
    codec.encode_with(noise(&toy(), 2, &device), Denoise::On);
}

/// The configuration of the first bundled codec, written before there were options.
const WITHOUT_OPTIONS: &str = r#"{
  "sample_rate_hz": 16000,
  "encoder_channels": 8,
  "decoder_channels": 16,
  "strides": [
    8,
    5,
    4,
    2
  ],
  "dimension": 128,
  "quantizer": {
    "n_quantizers": 16,
    "codebook_size": 1024
  }
}"#;

#[test]
fn a_configuration_without_options_is_read_and_written_as_it_was() {
    let config = SoundStreamConfig::load_binary(WITHOUT_OPTIONS.as_bytes()).unwrap();
    let quantizer = QuantizerConfig::residual(16, 1024);
    assert_eq!(config, SoundStreamConfig { quantizer, ..SoundStreamConfig::tiny_16khz() });
    let file = tempfile::NamedTempFile::new().unwrap();
    config.save(file.path()).unwrap();
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), WITHOUT_OPTIONS);
}

fn with_key(line: &str) -> String {
    WITHOUT_OPTIONS.replacen('{', &format!("{{ {line},"), 1)
}

#[test]
fn options_are_read_with_what_they_leave_out() {
    let text = with_key(r#""channels": 2, "film": "decoder", "attention": { "n_layers": 2 }"#);
    let expected = SoundStreamConfig {
        channels: Channels::Stereo,
        film: Some(FilmSide::Decoder),
        attention: Some(LocalAttentionConfig { n_layers: 2, ..Default::default() }),
        quantizer: QuantizerConfig::residual(16, 1024),
        ..SoundStreamConfig::tiny_16khz()
    };
    assert_eq!(SoundStreamConfig::load_binary(text.as_bytes()).unwrap(), expected);
}

#[track_caller]
fn check_refused(line: &str, named: &str) {
    let error = SoundStreamConfig::load_binary(with_key(line).as_bytes()).unwrap_err().to_string();
    assert!(error.contains(named), "{error}");
}

#[test]
fn what_no_codec_has_is_refused_by_name() {
    check_refused(r#""filme": "decoder""#, "filme");
    check_refused(r#""film": "middle""#, "middle");
    check_refused(r#""attention": { "window": 9 }"#, "window");
    check_refused(r#""channels": 3"#, "channels must be 1 or 2, found 3");
}

#[track_caller]
fn check_no_codec(attention: LocalAttentionConfig, named: &str) {
    let config = SoundStreamConfig { attention: Some(attention), ..toy() };
    let error = config.init(&Device::default()).unwrap_err().to_string();
    assert!(error.contains(named), "{error}");
}

#[test]
fn attention_of_impossible_sizes_is_named() {
    check_no_codec(attention(0, 4), "attention.n_layers");
    check_no_codec(attention(1, 1), "attention.window_frames");
    let three = LocalAttentionConfig { n_heads: 3, ..attention(1, 4) };
    check_no_codec(three, "attention.n_heads must be a divisor of dimension, found 3");
}

#[track_caller]
fn check_preset(config: &SoundStreamConfig, frames_per_second: f64, bits_per_second: f64) {
    let error = (config.frames_per_second() - frames_per_second).abs();
    assert!(error < 0.05, "{} frames per second", config.frames_per_second());
    assert!((config.bits_per_second() / bits_per_second - 1.0).abs() < 0.01);
    config.init(&Device::default()).unwrap();
}

#[test]
fn presets_have_the_published_rates() {
    check_preset(&SoundStreamConfig::audiolm_16khz(), 50.0, 6_000.0);
    check_preset(&SoundStreamConfig::sound_stream_24khz(8), 75.0, 6_000.0);
    check_preset(&SoundStreamConfig::mono_44khz(8), 86.13, 7_752.0);
    check_preset(&SoundStreamConfig::stereo_48khz(8), 150.0, 24_000.0);
}
