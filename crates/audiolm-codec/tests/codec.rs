//! Every codec behind the one interface: what it says of itself, whole clips, and streams.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::{Path, PathBuf};

use audiolm_codec::{
    Codec, CodecConfig, CodecError, CodecKind, CodecSpec, QuantizerConfig, SoundStreamConfig,
};
use audiolm_nn::generator;
use burn::prelude::*;
use burn::tensor::Distribution;
use proptest::prelude::*;

/// Products of other shapes add up in other orders; the greatest sample is below 4.
const ROUNDING: f32 = 5e-5;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn sound_stream() -> Codec {
    let config = SoundStreamConfig {
        sample_rate_hz: 16_000,
        encoder_channels: 2,
        decoder_channels: 2,
        strides: vec![4, 5],
        dimension: 8,
        quantizer: QuantizerConfig::residual(4, 16),
        ..SoundStreamConfig::tiny_16khz()
    };
    let codec = config.init(&Device::default()).unwrap();
    let vectors = codec.embed(noise(2000));
    let codec = codec.fit_codebooks(vectors, &mut generator(0, "codebooks", 0), |_| {});
    Codec::of_sound_stream(config, codec)
}

fn codec(kind: CodecKind) -> Codec {
    let folder = match kind {
        CodecKind::SoundStream => return sound_stream(),
        CodecKind::EnCodec => "encodec_24khz",
        CodecKind::Dac => "dac_16khz",
        CodecKind::Mimi => "mimi_24khz",
    };
    Codec::load_from(&fixture(folder), &Device::default()).unwrap()
}

/// As long for all, and at a level that no codec clips.
fn noise(samples: usize) -> Tensor<3> {
    let device = Device::default();
    device.seed(0);
    Tensor::random([1, 1, samples], Distribution::Normal(0.0, 0.2), &device)
}

fn values(codes: Tensor<3, Int>) -> Vec<i64> {
    codes.try_into_vec_as().unwrap()
}

#[track_caller]
fn check_spec(kind: CodecKind, [rate, hop, n_quantizers, codebook_size]: [usize; 4]) {
    let expected =
        CodecSpec { kind, sample_rate_hz: rate, hop_samples: hop, n_quantizers, codebook_size };
    assert_eq!(codec(kind).spec(), expected);
}

#[test]
fn each_codec_says_what_it_takes_and_makes() {
    check_spec(CodecKind::SoundStream, [16_000, 20, 4, 16]);
    check_spec(CodecKind::EnCodec, [24_000, 320, 8, 64]);
    check_spec(CodecKind::Dac, [16_000, 320, 6, 64]);
    check_spec(CodecKind::Mimi, [24_000, 1920, 6, 64]);
}

#[track_caller]
fn check_whole_frames(kind: CodecKind) {
    let codec = codec(kind);
    let CodecSpec { hop_samples: hop, n_quantizers, .. } = codec.spec();
    for samples in [1, hop - 1, hop, 3 * hop + 1] {
        let codes = codec.encode(noise(samples));
        let n_frames = samples.div_ceil(hop);
        assert_eq!(codes.dims(), [1, n_quantizers, n_frames], "{samples} samples");
        let wave = codec.decode(codes.slice_dim(1, ..1));
        assert_eq!(wave.dims(), [1, 1, n_frames * hop], "{samples} samples");
    }
}

#[test]
fn any_length_is_whole_frames_for_every_codec() {
    for kind in [CodecKind::SoundStream, CodecKind::EnCodec, CodecKind::Dac, CodecKind::Mimi] {
        check_whole_frames(kind);
    }
}

/// Codes of a wave that arrives in chunks of so many samples, over and over.
fn streamed_codes(codec: &Codec, wave: &Tensor<3>, chunks: &[usize]) -> Vec<i64> {
    let [_, _, samples] = wave.dims();
    let (mut stream, mut start, mut codes) = (codec.encode_stream(), 0, Vec::new());
    for length in chunks.iter().cycle() {
        let end = (start + length).min(samples);
        codes.extend(codec.encode_step(wave.clone().slice_dim(2, start..end), &mut stream));
        start = end;
        if end == samples {
            break;
        }
    }
    codes.extend(codec.encode_end(stream));
    values(Tensor::cat(codes, 2))
}

fn streamed_wave(codec: &Codec, codes: &Tensor<3, Int>, chunks: &[usize]) -> Tensor<3> {
    let [_, _, frames] = codes.dims();
    let (mut stream, mut start, mut waves) = (codec.decode_stream(), 0, Vec::new());
    for length in chunks.iter().cycle() {
        let end = (start + length).min(frames);
        waves.extend(codec.decode_step(codes.clone().slice_dim(2, start..end), &mut stream));
        start = end;
        if end == frames {
            break;
        }
    }
    waves.extend(codec.decode_end(stream));
    Tensor::cat(waves, 2)
}

/// A wave of `frames` and a bit, in chunks of tenths of frames; codes in chunks of frames.
fn check_stream(kind: CodecKind, frames: usize, chunks: &[usize]) -> Result<(), TestCaseError> {
    let codec = codec(kind);
    let hop = codec.spec().hop_samples;
    let wave = noise(frames * hop + hop / 3);
    let codes = codec.encode(wave.clone());
    let tenths: Vec<usize> = chunks.iter().map(|it| it * hop / 10).collect();
    prop_assert_eq!(streamed_codes(&codec, &wave, &tenths), values(codes.clone()));

    let whole = codec.decode(codes.clone());
    let frames: Vec<usize> = chunks.iter().map(|it| it.div_ceil(10)).collect();
    let streamed = streamed_wave(&codec, &codes, &frames);
    prop_assert_eq!(streamed.dims(), whole.dims());
    let error = (streamed - whole).abs().max().into_scalar::<f32>();
    prop_assert!(error < ROUNDING, "{}", error);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn streams_of_sound_stream_are_the_whole(
        frames in 1usize..40, chunks in prop::collection::vec(1usize..80, 1..5)
    ) {
        check_stream(CodecKind::SoundStream, frames, &chunks)?;
    }

    #[test]
    fn streams_of_encodec_are_the_whole(
        frames in 1usize..40, chunks in prop::collection::vec(1usize..80, 1..5)
    ) {
        check_stream(CodecKind::EnCodec, frames, &chunks)?;
    }

    #[test]
    fn streams_of_dac_are_the_whole(
        frames in 1usize..60, chunks in prop::collection::vec(1usize..200, 1..5)
    ) {
        check_stream(CodecKind::Dac, frames, &chunks)?;
    }

    #[test]
    fn streams_of_mimi_are_the_whole(
        frames in 1usize..20, chunks in prop::collection::vec(1usize..40, 1..5)
    ) {
        check_stream(CodecKind::Mimi, frames, &chunks)?;
    }
}

#[test]
fn chunks_of_a_wave_are_the_whole_for_every_codec() {
    for kind in [CodecKind::SoundStream, CodecKind::EnCodec, CodecKind::Dac, CodecKind::Mimi] {
        let codec = codec(kind);
        let wave = noise(50 * codec.spec().hop_samples - 7);
        let whole = values(codec.encode(wave.clone()));
        assert_eq!(values(codec.encode_in_chunks(wave, 9)), whole, "{kind}");
    }
}

#[test]
fn our_own_folder_is_read_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::default();
    let config = SoundStreamConfig::tiny_16khz();
    let saved = config.init(&device).unwrap();
    saved.save_to(folder.path(), &config, audiolm_nn::Precision::Full).unwrap();
    let read = Codec::load_from(folder.path(), &device).unwrap();
    assert_eq!((read.spec().kind, read.spec().n_quantizers), (CodecKind::SoundStream, 20));
}

/// A published configuration with one value replaced.
fn changed(name: &str, key: &str, value: serde_json::Value) -> Result<CodecConfig, CodecError> {
    let text = fs::read_to_string(fixture(name).join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config[key] = value;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    CodecConfig::load_from(folder.path())
}

#[track_caller]
fn check_refused(name: &str, key: &str, value: serde_json::Value, expected: &[&str]) {
    let error = changed(name, key, value).unwrap_err().to_string();
    assert!(error.contains(key) && error.contains("config.json"), "{error}");
    assert!(expected.iter().all(|it| error.contains(it)), "{error}");
}

#[test]
fn variants_that_are_not_implemented_are_named() {
    let encodec = "encodec_24khz";
    check_refused(encodec, "audio_channels", 2.into(), &["EnCodec", "2", "only 1"]);
    check_refused(encodec, "normalize", true.into(), &["EnCodec", "true"]);
    check_refused(encodec, "norm_type", "time_group_norm".into(), &["weight_norm"]);
    check_refused(encodec, "chunk_length_s", 1.0.into(), &["1.0"]);
    check_refused(encodec, "use_causal_conv", false.into(), &["false"]);
    check_refused(encodec, "pad_mode", "replicate".into(), &["reflect"]);
    check_refused("dac_16khz", "upsampling_ratios", vec![2, 4].into(), &["DAC", "[8, 5, 4, 2]"]);
    check_refused("dac_16khz", "hidden_size", 40.into(), &["48", "40"]);
    check_refused("mimi_24khz", "num_key_value_heads", 2.into(), &["Mimi", "2", "4"]);
    check_refused("mimi_24khz", "hidden_act", "silu".into(), &["gelu"]);
    check_refused("mimi_24khz", "frame_rate", 25.0.into(), &["12.5"]);
    check_refused("mimi_24khz", "upsample_groups", 5.into(), &["modulo"]);
}

#[test]
fn numbers_that_describe_no_codec_are_refused() {
    for (name, key) in [
        ("encodec_24khz", "num_filters"),
        ("encodec_24khz", "codebook_size"),
        ("dac_16khz", "n_codebooks"),
        ("dac_16khz", "decoder_hidden_size"),
        ("mimi_24khz", "num_filters"),
        ("mimi_24khz", "sliding_window"),
    ] {
        check_refused(name, key, 0.into(), &["between", "0"]);
    }
    check_refused("encodec_24khz", "upsampling_ratios", vec![8, 0].into(), &["between 1 and 64"]);
}

#[test]
fn keys_that_say_nothing_of_the_model_are_let_pass() {
    changed("dac_16khz", "problem_type", "none".into()).unwrap();
}

#[test]
fn a_model_that_is_no_codec_is_named() {
    check_refused("dac_16khz", "model_type", "hubert".into(), &["hubert", "encodec, dac or mimi"]);
}
