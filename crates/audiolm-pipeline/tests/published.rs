//! Published codecs, alone and in bundles. Their weights here are small and random: see
//! `crates/audiolm-codec/tests/fixtures`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_audio::Clip;
use audiolm_codec::Codec;
use audiolm_nn::Precision;
use audiolm_pipeline::testing::{self, tiny_export_with};
use audiolm_pipeline::{
    AssembleOptions, AudioLm, Bundle, BundleError, Coder, ContinueOptions, Part, PipelineError,
    assemble,
};
use burn::prelude::*;
use tempfile::TempDir;

const ALL: [&str; 3] = ["encodec_24khz", "dac_16khz", "mimi_24khz"];

fn fixture(name: &str) -> PathBuf {
    let codec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../audiolm-codec/tests/fixtures");
    codec.join(name)
}

fn coder(name: &str) -> Coder {
    Coder::load(&fixture(name), &Device::default()).unwrap()
}

fn tone(seconds: f32, sample_rate_hz: u32) -> Clip {
    let n_samples = (seconds * sample_rate_hz as f32) as usize;
    let sample = |n: usize| 0.2 * (n as f32 * 2000.0 / sample_rate_hz as f32).sin();
    Clip { samples: (0..n_samples).map(sample).collect(), sample_rate_hz }
}

/// A bundle with a published codec, in a folder that goes away.
fn bundled(name: &str, precision: Precision) -> (TempDir, Result<Bundle, BundleError>) {
    let parent = tempfile::tempdir().unwrap();
    let (export, device) = (parent.path().join("export"), Device::default());
    std::fs::create_dir(&export).unwrap();
    device.seed(0);
    tiny_export_with(&export, &fixture(name), &device).unwrap();
    let options = AssembleOptions { precision, ..testing::tiny_options() };
    let bundle = assemble(&export, &parent.path().join("bundle"), &options, &device);
    (parent, bundle)
}

#[track_caller]
fn check_coder(name: &str) {
    let coder = coder(name);
    let rate = coder.spec().sample_rate_hz as u32;
    let clip = tone(0.731, rate);
    let file = coder.encode(&clip, None).unwrap();
    assert_eq!(file.header().gain, 1.0, "{name} hears the clip as it is");

    let codec = Codec::load_from(&fixture(name), &Device::default()).unwrap();
    let wave = Tensor::<1>::from_floats(clip.samples.as_slice(), &Device::default());
    let by_frame = codec.encode(wave.unsqueeze()).swap_dims(1, 2);
    assert_eq!(by_frame.try_into_vec_as::<u32>().unwrap(), file.codes(), "{name}");

    let again = coder.decode_file(&file).unwrap();
    assert_eq!((again.samples.len(), again.sample_rate_hz), (clip.samples.len(), rate), "{name}");
    let few = coder.reconstruct(&clip, Some(2)).unwrap();
    assert_eq!(few.samples.len(), clip.samples.len(), "{name}");
    assert_ne!(few, again, "{name}");
}

#[test]
fn every_published_codec_codes_recordings() {
    for name in ALL {
        check_coder(name);
    }
}

#[test]
fn codes_of_another_codec_are_refused() {
    let file = coder("encodec_24khz").encode(&tone(0.5, 24_000), None).unwrap();
    let error = coder("mimi_24khz").decode_file(&file).unwrap_err();
    assert!(matches!(error, PipelineError::OtherCodec { .. }), "{error}");
}

#[test]
fn a_bundle_holds_a_published_codec_to_the_byte() {
    let (_parent, bundle) = bundled("dac_16khz", Precision::Half);
    let folder = bundle.unwrap().folder().join(Part::Codec.folder());
    for file in ["config.json", "model.safetensors"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert!(read(&folder) == read(&fixture("dac_16khz")), "{file}");
    }
}

#[test]
fn a_bundle_with_a_published_codec_continues_recordings() {
    let (_parent, bundle) = bundled("dac_16khz", Precision::Full);
    let lm = AudioLm::of_bundle(&bundle.unwrap(), &Device::default()).unwrap();
    assert_eq!((lm.n_quantizers(), lm.frames_per_second()), (6, 50.0));
    let options = ContinueOptions { seconds: 0.3, seed: 1, ..Default::default() };
    let found = lm.continue_from(&tone(0.5, 16_000), &options).unwrap();
    assert_eq!((found.prompt_samples, found.clip.samples.len()), (8000, 12_800));
    assert_eq!(found.tokens.codes.len(), 6);
}

#[test]
fn codecs_of_another_rate_than_the_tokenizers_are_refused() {
    for name in ["encodec_24khz", "mimi_24khz"] {
        let error = bundled(name, Precision::Full).1.unwrap_err().to_string();
        let expected = "samples per second: codec has 24000, but semantic-tokenizer has 16000";
        assert!(error.contains(expected), "{error}");
    }
}
