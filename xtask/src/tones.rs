//! Sounds to train on where no recordings are at hand: voices that sing syllables.

use std::f32::consts::TAU;
use std::path::Path;

use anyhow::Result;

const RATE_HZ: u32 = 16_000;
const SYLLABLE_SECONDS: f32 = 0.25;

/// Writes `n_voices` folders with `n_files` recordings of `seconds` each: every voice has its own
/// pitch and timbre, every syllable its own formant.
pub fn write_voices(folder: &Path, n_voices: u32, n_files: u32, seconds: f32) -> Result<()> {
    for voice in 0..n_voices {
        let home = folder.join(format!("voice-{voice}"));
        std::fs::create_dir_all(&home)?;
        for file in 0..n_files {
            write_recording(&home.join(format!("{file}.wav")), voice, file, seconds)?;
        }
    }
    Ok(())
}

fn write_recording(path: &Path, voice: u32, file: u32, seconds: f32) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut out = hound::WavWriter::create(path, spec)?;
    for n in 0..(seconds * RATE_HZ as f32) as u32 {
        let amplitude = amplitude(voice, file, n as f32 / RATE_HZ as f32);
        out.write_sample((amplitude * f32::from(i16::MAX)) as i16)?;
    }
    Ok(out.finalize()?)
}

/// A sum of harmonics under a formant that changes with the syllable.
fn amplitude(voice: u32, file: u32, time: f32) -> f32 {
    let pitch_hz = 100.0 + 23.0 * voice as f32;
    let syllable = (time / SYLLABLE_SECONDS) as u32;
    let formant_hz = 400.0 + 350.0 * ((syllable * 7 + file * 3) % 5) as f32;
    let swell = (TAU / 2.0 * (time / SYLLABLE_SECONDS).fract()).sin();
    let harmonic = |k: u32| {
        let hz = pitch_hz * k as f32;
        let distance = (hz - formant_hz) / 300.0;
        (-distance * distance).exp() * (TAU * hz * time).sin()
    };
    0.2 * swell * (1..20).map(harmonic).sum::<f32>()
}
