//! What is read from files of every supported kind, and how the others are refused.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::{Path, PathBuf};

use audiolm_audio::{AudioError, AudioFormat, Clip, SampleFormat, probe};

/// Lossy coding at 32 kbit/s leaves this much of a steady tone's level.
const LOSSY_LEVEL: f32 = 0.03;
/// Integer samples are exact; averaging two channels rounds once.
const EXACT_LEVEL: f32 = 1e-3;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Half a second of a 440 Hz sine with an amplitude of 0.5, as in the fixtures.
fn tone(rate_hz: u32) -> Vec<f32> {
    let step = 440.0 * std::f32::consts::TAU / rate_hz as f32;
    (0..rate_hz / 2).map(|n| 0.5 * (n as f32 * step).sin()).collect()
}

/// Reads a fixture and compares its length, the level of its middle and its pitch.
#[track_caller]
fn check_tone(name: &str, extra_samples: usize, amplitude: f32, tolerance: f32) {
    let clip = Clip::read(fixture(name)).unwrap();
    assert_eq!(clip.sample_rate_hz, 16_000);
    assert_eq!(clip.samples.len(), 8_000 + extra_samples);
    let middle = clip.excerpt(0.1, 0.3);
    let level = middle.rms() * std::f32::consts::SQRT_2;
    assert!((level - amplitude).abs() < tolerance, "amplitude is {level}");
    let crossings = middle.samples.windows(2).filter(|it| it[0] < 0.0 && it[1] >= 0.0).count();
    assert!((131..=133).contains(&crossings), "{crossings} periods in 0.3 s");
}

#[test]
fn flac_is_read() {
    check_tone("tone.flac", 0, 0.5, EXACT_LEVEL);
}
#[test]
fn channels_are_averaged() {
    check_tone("stereo.flac", 0, 0.25, EXACT_LEVEL);
}
#[test]
fn mp3_is_read_without_its_delay() {
    check_tone("tone.mp3", 0, 0.5, LOSSY_LEVEL);
}
#[test]
fn ogg_vorbis_is_read() {
    check_tone("tone.ogg", 0, 0.5, LOSSY_LEVEL);
}
#[test]
fn aac_is_read_with_its_delay() {
    check_tone("tone.aac", 1_216, 0.5, LOSSY_LEVEL);
}
#[test]
fn m4a_is_read_with_its_delay() {
    check_tone("tone.m4a", 1_216, 0.5, LOSSY_LEVEL);
}

#[test]
fn the_content_counts_and_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tone.flac", "tone.mp3", "tone.ogg", "tone.aac", "tone.m4a"] {
        let misnamed = folder.path().join(name).with_extension("wav");
        fs::copy(fixture(name), &misnamed).unwrap();
        assert_eq!(Clip::read(&misnamed).unwrap(), Clip::read(fixture(name)).unwrap(), "{name}");
    }
}

#[test]
fn probing_agrees_with_reading() {
    for name in ["tone.flac", "stereo.flac", "tone.mp3", "tone.ogg", "tone.aac"] {
        let (info, clip) = (probe(fixture(name)).unwrap(), Clip::read(fixture(name)).unwrap());
        assert_eq!(info.seconds, clip.seconds(), "{name}");
        assert_eq!(info.sample_rate_hz, clip.sample_rate_hz, "{name}");
        assert_eq!(info.channels, if name == "stereo.flac" { 2 } else { 1 }, "{name}");
    }
    let m4a = probe(fixture("tone.m4a")).unwrap();
    assert!((m4a.seconds - 0.5).abs() < 0.1, "{}", m4a.seconds);
}

/// Writes a tone with hound in the given sample format and reads it back.
#[track_caller]
fn check_wav(bits: u16, format: hound::SampleFormat, channels: u16, tolerance: f32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tone.wav");
    let spec = hound::WavSpec {
        channels,
        sample_rate: 22_050,
        bits_per_sample: bits,
        sample_format: format,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    let expected = tone(22_050);
    for sample in &expected {
        for _ in 0..channels {
            match format {
                hound::SampleFormat::Float => writer.write_sample(*sample).unwrap(),
                hound::SampleFormat::Int => {
                    let scale = 2f64.powi(i32::from(bits) - 1);
                    writer.write_sample((f64::from(*sample) * scale).round() as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    let clip = Clip::read(&path).unwrap();
    assert_eq!((clip.sample_rate_hz, clip.samples.len()), (22_050, expected.len()));
    let errors = clip.samples.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    let worst = errors.fold(0.0, f32::max);
    assert!(worst <= tolerance, "off by {worst}");
    assert_eq!(probe(&path).unwrap().seconds, clip.seconds());
}

#[test]
fn wav_of_8_bits_is_read() {
    check_wav(8, hound::SampleFormat::Int, 1, 0.5f32.powi(8));
}
#[test]
fn wav_of_16_bits_is_read() {
    check_wav(16, hound::SampleFormat::Int, 2, 0.5f32.powi(16));
}
#[test]
fn wav_of_24_bits_is_read() {
    check_wav(24, hound::SampleFormat::Int, 2, 0.5f32.powi(23));
}
#[test]
fn wav_of_32_bits_is_read() {
    check_wav(32, hound::SampleFormat::Int, 1, 0.5f32.powi(23));
}
#[test]
fn wav_of_floats_is_read() {
    check_wav(32, hound::SampleFormat::Float, 6, 1e-7);
}

#[test]
fn floats_beyond_full_scale_survive_a_float_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loud.wav");
    let clip = Clip { samples: vec![1.5, -3.0, 0.25], sample_rate_hz: 16_000 };
    clip.write_wav_as(&path, SampleFormat::Float32).unwrap();
    assert_eq!(Clip::read(&path).unwrap(), clip);
    clip.write_wav_as(&path, SampleFormat::Int16).unwrap();
    assert_eq!(Clip::read(&path).unwrap().samples, [32_767.0 / 32_768.0, -1.0, 0.25]);
}

/// Reads bytes as a file and hands back the error.
#[track_caller]
fn error_of(bytes: &[u8]) -> AudioError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording");
    fs::write(&path, bytes).unwrap();
    let error = Clip::read(&path).unwrap_err();
    assert!(error.to_string().contains("recording"), "{error} names no file");
    error
}

/// The bytes of a 16-bit WAV file with the given channel count, rate and samples.
fn wav_bytes(channels: u16, rate_hz: u32, samples: &[i16]) -> Vec<u8> {
    let block = 2 * channels;
    let length = 2 * samples.len() as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|it| it.to_le_bytes()));
    bytes
}

#[test]
fn a_missing_file_is_named() {
    let error = Clip::read("no/such/clip.wav").unwrap_err();
    assert_eq!(error.to_string(), "no/such/clip.wav: no such file");
}
#[test]
fn a_folder_is_no_recording() {
    let error = Clip::read(fixture("")).unwrap_err();
    assert!(matches!(error, AudioError::Unreadable { .. }), "{error:?}");
}
#[test]
fn an_empty_file_is_named() {
    assert!(matches!(error_of(b""), AudioError::EmptyFile { .. }));
}
#[test]
fn an_unknown_format_shows_its_first_bytes() {
    let error = error_of(b"path,seconds");
    assert!(matches!(error, AudioError::UnknownFormat { .. }));
    assert!(error.to_string().contains("[70, 61, 74, 68"), "{error}");
}
#[test]
fn opus_is_refused_by_name() {
    let error = Clip::read(fixture("opus.ogg")).unwrap_err();
    let expected = AudioFormat::Ogg;
    assert!(
        matches!(error, AudioError::UnsupportedCoding { format, .. } if format == expected),
        "{error:?}"
    );
}
#[test]
fn a_wav_without_samples_holds_no_audio() {
    assert!(matches!(error_of(&wav_bytes(1, 16_000, &[])), AudioError::NoAudio { .. }));
}
#[test]
fn a_wav_without_channels_is_named() {
    let error = error_of(&wav_bytes(0, 16_000, &[1, 2]));
    assert!(matches!(error, AudioError::ZeroChannels { .. }), "{error:?}");
}
#[test]
fn an_implausible_rate_is_named() {
    for rate_hz in [0, 16, 900_000] {
        let error = error_of(&wav_bytes(1, rate_hz, &[1, 2]));
        assert!(
            matches!(error, AudioError::ImplausibleRate { rate_hz: found, .. } if found == rate_hz),
            "{error:?}"
        );
    }
}
#[test]
fn a_short_wav_says_what_was_promised_and_found() {
    let mut bytes = wav_bytes(2, 16_000, &[1; 200]);
    bytes.truncate(bytes.len() - 42);
    let error = error_of(&bytes);
    assert!(matches!(error, AudioError::Truncated { promised: 100, found: 89, .. }), "{error:?}");
}
#[test]
fn a_wav_of_open_length_is_named() {
    for open in [0, u32::MAX] {
        let mut bytes = wav_bytes(1, 16_000, &[1; 200]);
        bytes[4..8].copy_from_slice(&open.to_le_bytes());
        bytes[40..44].copy_from_slice(&open.to_le_bytes());
        let (before, data) = bytes.split_at(36);
        let error = error_of(&[before, b"LIST\x05\0\0\0INFO!\0", data].concat());
        assert!(matches!(error, AudioError::OpenLength { .. }), "{error:?}");
    }
}
#[test]
fn a_short_ogg_breaks_off() {
    let bytes = fs::read(fixture("tone.ogg")).unwrap();
    let error = error_of(&bytes[..bytes.len() - 10]);
    assert!(matches!(error, AudioError::BreaksOff { .. }), "{error:?}");
}
#[test]
fn a_changed_bit_in_a_flac_is_noticed() {
    let mut bytes = fs::read(fixture("tone.flac")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    error_of(&bytes);
}
#[test]
fn a_nan_is_placed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for sample in [0.0, 0.1, f32::NAN] {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
    let error = Clip::read(&path).unwrap_err();
    assert!(matches!(error, AudioError::ImplausibleSample { position: 2, .. }), "{error:?}");
}

#[test]
fn an_amplitude_that_cannot_be_meant_is_placed() {
    let loud = Clip { samples: vec![0.5, -2e6], sample_rate_hz: 16_000 };
    let error = loud.resampled(8_000).unwrap_err().to_string();
    assert_eq!(error, "sample 1 is -2000000, expected numbers of at most 1000000");
    let folder = tempfile::tempdir().unwrap();
    let error = loud.write_wav(folder.path().join("loud.wav")).unwrap_err().to_string();
    assert!(
        error.ends_with("sample 1 is -2000000, expected numbers of at most 1000000"),
        "{error}"
    );
}
#[test]
fn an_mp3_behind_two_tags_is_read() {
    let tag = b"ID3\x04\0\0\0\0\0\x0a0123456789";
    let bytes = [tag.as_slice(), tag, &fs::read(fixture("tone.mp3")).unwrap()].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tagged.mp3");
    fs::write(&path, bytes).unwrap();
    assert_eq!(Clip::read(&path).unwrap(), Clip::read(fixture("tone.mp3")).unwrap());
}
#[test]
fn a_tag_at_the_end_is_no_audio() {
    let tag = [b"TAG".as_slice(), &[b' '; 125]].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tagged");
    for name in ["tone.flac", "tone.mp3", "tone.ogg", "tone.aac", "tone.m4a"] {
        let whole = fs::read(fixture(name)).unwrap();
        fs::write(&path, [whole, tag.clone()].concat()).unwrap();
        assert_eq!(Clip::read(&path).unwrap(), Clip::read(fixture(name)).unwrap(), "{name}");
    }
}
#[test]
fn a_cut_flac_with_a_tag_breaks_off() {
    let bytes = fs::read(fixture("tone.flac")).unwrap();
    let cut = &bytes[..bytes.len() - 10];
    let error = error_of(&[cut, b"TAG", &[b' '; 125]].concat());
    assert!(matches!(error, AudioError::BreaksOff { .. }), "{error:?}");
}
#[test]
fn a_second_stream_is_named() {
    let one = fs::read(fixture("tone.ogg")).unwrap();
    let error = error_of(&[one.clone(), one].concat());
    assert!(matches!(error, AudioError::SeveralStreams { .. }), "{error:?}");
}

#[test]
fn nothing_is_written_into_a_missing_folder() {
    let clip = Clip { samples: tone(16_000), sample_rate_hz: 16_000 };
    let error = clip.write_wav("no/such/folder/clip.wav").unwrap_err().to_string();
    assert!(error.contains("there is no folder no/such/folder"), "{error}");
}
#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    let good = Clip { samples: tone(16_000), sample_rate_hz: 16_000 };
    good.write_wav(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let bad = Clip { samples: vec![0.0, f32::INFINITY], sample_rate_hz: 16_000 };
    assert!(matches!(bad.write_wav(&path), Err(AudioError::ImplausibleSample { position: 1, .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
