//! The log-mel spectrum that spectral comparisons share.
//!
//! Frames of 1024 samples every 256, silence on both sides, a symmetric Hann window, power through
//! 64 triangles that are equally wide and unnormalised on the HTK mel scale, natural logarithm with
//! a floor of 1e-6. It describes how a clip sounds; models use the mel spectra of their own papers.

use std::f64::consts::PI;

use crate::pair::{check_pair, check_rate, check_wave};
use crate::power_spectrum::PowerSpectrum;
use crate::{EvalError, Side};

/// How many mel bands a frame has.
pub const N_MELS: usize = 64;
/// Samples of a frame, and of the silence on each side.
const N_FFT: usize = 1024;
/// Samples from one frame to the next.
const HOP: usize = 256;
/// Keeps the logarithm of silence finite.
const FLOOR: f64 = 1e-6;

/// A clip as frames of natural-log mel power: `[frames][mels]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogMelSpectrum {
    /// One row of bands per hop of 256 samples.
    pub frames: Vec<[f64; N_MELS]>,
}

impl LogMelSpectrum {
    /// The mean over time: what is left of a clip when its words are averaged out.
    pub fn long_term(&self) -> [f64; N_MELS] {
        let sum = |band: usize| self.frames.iter().map(|frame| frame[band]).sum::<f64>();
        std::array::from_fn(|band| sum(band) / self.frames.len() as f64)
    }

    /// The mean absolute difference from `other` over the frames both have.
    pub fn distance(&self, other: &Self) -> f64 {
        let n_frames = self.frames.len().min(other.frames.len());
        let (ours, theirs) = (self.frames.as_flattened(), other.frames.as_flattened());
        let sum: f64 = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).sum();
        sum / (n_frames * N_MELS) as f64
    }
}

/// The log-mel spectrum of a clip: `samples / 256 + 5` frames, silence before and after included.
pub fn log_mel(wave: &[f32], sample_rate_hz: u32) -> Result<LogMelSpectrum, EvalError> {
    check_rate(sample_rate_hz)?;
    check_wave(wave, Side::Degraded)?;
    Ok(spectrum(wave, &Triangle::bank(sample_rate_hz)))
}

/// The mean absolute difference between the log-mel spectra of two recordings of one length.
pub fn log_mel_distance(
    reference: &[f32],
    degraded: &[f32],
    sample_rate_hz: u32,
) -> Result<f64, EvalError> {
    check_rate(sample_rate_hz)?;
    check_pair(reference, degraded)?;
    let bank = Triangle::bank(sample_rate_hz);
    Ok(spectrum(reference, &bank).distance(&spectrum(degraded, &bank)))
}

/// The log-mel spectrum of a clip, averaged over time; see [`LogMelSpectrum::long_term`].
pub fn long_term_spectrum(wave: &[f32], sample_rate_hz: u32) -> Result<[f64; N_MELS], EvalError> {
    Ok(log_mel(wave, sample_rate_hz)?.long_term())
}

fn spectrum(wave: &[f32], bank: &[Triangle]) -> LogMelSpectrum {
    let (transform, window) = (PowerSpectrum::new(N_FFT), window());
    let padded = [vec![0.0; N_FFT], wave.to_vec(), vec![0.0; N_FFT]].concat();
    let log_mels = |samples: &[f32]| {
        let power = transform.of(samples.iter().zip(&window).map(|(it, w)| f64::from(*it) * w));
        std::array::from_fn(|band| (bank[band].weigh(&power) + FLOOR).ln())
    };
    LogMelSpectrum { frames: padded.windows(N_FFT).step_by(HOP).map(log_mels).collect() }
}

/// A Hann window that is zero at both ends.
fn window() -> Vec<f64> {
    (0..N_FFT).map(|i| 0.5 - 0.5 * (2.0 * PI * i as f64 / (N_FFT - 1) as f64).cos()).collect()
}

/// One band: weights of the neighbouring bins that it covers.
struct Triangle {
    first_bin: usize,
    weights: Vec<f64>,
}

impl Triangle {
    /// [`N_MELS`] bands from 0 Hz to half the sampling rate.
    fn bank(sample_rate_hz: u32) -> Vec<Triangle> {
        let nyquist_hz = f64::from(sample_rate_hz) / 2.0;
        let step = hz_to_mel(nyquist_hz) / (N_MELS + 1) as f64;
        let bin_mel = |bin: usize| hz_to_mel(nyquist_hz * bin as f64 / (N_FFT / 2) as f64);
        let mels: Vec<f64> = (0..=N_FFT / 2).map(bin_mel).collect();
        (0..N_MELS).map(|band| Triangle::around((band + 1) as f64, step, &mels)).collect()
    }

    /// The triangle that peaks `centre` steps up the mel scale and is one step wide on each side.
    fn around(centre: f64, step: f64, mels: &[f64]) -> Triangle {
        let height = |mel: &f64| (1.0 - (mel / step - centre).abs()).max(0.0);
        let heights: Vec<f64> = mels.iter().map(height).collect();
        let first_bin = heights.iter().position(|&height| height > 0.0).unwrap_or(0);
        let weights = heights[first_bin..].iter().copied().take_while(|&it| it > 0.0).collect();
        Triangle { first_bin, weights }
    }

    fn weigh(&self, power: &[f64]) -> f64 {
        self.weights
            .iter()
            .zip(&power[self.first_bin..])
            .map(|(weight, power)| weight * power)
            .sum()
    }
}

fn hz_to_mel(hz: f64) -> f64 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_n_frames(n_samples: usize, expected: usize) {
        assert_eq!(log_mel(&vec![0.1; n_samples], 16_000).unwrap().frames.len(), expected);
    }

    #[test]
    fn one_sample_has_the_frames_of_its_silence() {
        check_n_frames(1, 5);
    }
    #[test]
    fn a_hop_more_is_a_frame_more() {
        check_n_frames(256, 6);
    }
    #[test]
    fn silence_lies_at_the_floor() {
        assert_eq!(long_term_spectrum(&[0.0; 300], 16_000).unwrap(), [FLOOR.ln(); N_MELS]);
    }
    #[test]
    fn a_tone_is_loudest_in_its_own_band() {
        let tone: Vec<f32> =
            (0..8000).map(|i| (i as f32 * std::f32::consts::TAU / 16.0).sin()).collect();
        let spectrum = long_term_spectrum(&tone, 16_000).unwrap();
        let loudest = (0..N_MELS).max_by(|&a, &b| spectrum[a].total_cmp(&spectrum[b])).unwrap();
        let step = hz_to_mel(8000.0) / 65.0;
        assert_eq!(loudest, (hz_to_mel(1000.0) / step).round() as usize - 1);
    }
    #[test]
    fn names_a_clip_without_samples() {
        assert_eq!(log_mel(&[], 16_000), Err(EvalError::NoSamples));
    }
    #[test]
    fn names_lengths_that_differ() {
        let err = log_mel_distance(&[0.1; 4], &[0.1; 3], 16_000).unwrap_err();
        assert_eq!(err, EvalError::LengthMismatch { reference: 4, degraded: 3 });
    }
}
