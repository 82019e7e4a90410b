//! The log-mels that w2v-BERT 2.0 hears.

use std::f64::consts::TAU;

use burn::prelude::*;
use burn::signal::rfft;

use super::config::{HOP_SAMPLES, MelNormalisation, N_MELS, WINDOW_SAMPLES};
use crate::FrameGeometry;
use crate::clips::{Clips, FrameMask};

/// Points of the Fourier transform.
const N_FFT: usize = 512;
/// Samples per second.
const SAMPLE_RATE_HZ: f64 = 16_000.0;
/// The lowest frequency that a filter hears; the highest is half the sample rate.
const LOWEST_HZ: f64 = 20.0;
/// Waves are taken as if they were 16-bit integers.
const GREATEST_SAMPLE: f64 = 32_768.0;
/// Share of the sample before that is subtracted from each.
const PRE_EMPHASIS: f64 = 0.97;
/// The smallest power whose logarithm is taken: 2^-23.
const SMALLEST_POWER: f64 = 1.192_092_955_078_125e-7;
/// Keeps a mel that never changes from being divided by its deviation.
const SMALLEST_VARIANCE: f64 = 1e-7;

/// About the mean of the log-mels of speech at the reference level, and their deviation.
const FIXED: [f64; 2] = [15.0, 4.0];

/// Logarithms of mel spectra as Kaldi makes them, 100 frames a second, normalised, and so many frames
/// side by side.
#[derive(Debug, Clone)]
pub(super) struct LogMels {
    pub(super) frames_stacked: usize,
    pub(super) normalisation: MelNormalisation,
}

impl LogMels {
    /// Frames at a clip's end that make no whole stack are left out, after they have counted in the
    /// mean and the variance.
    ///
    /// # Shapes
    /// - output: `[batch, time, frames_stacked * 80]`
    ///
    /// # Panics
    /// Where a clip is too short for one frame.
    pub(super) fn forward(&self, clips: &Clips) -> Tensor<3> {
        let mels = log_mels(clips.wave());
        let mels = match self.normalisation {
            MelNormalisation::Clip => normalised(mels, clips),
            MelNormalisation::Fixed => (mels - FIXED[0]) / FIXED[1],
        };
        let [batch, time, n_mels] = mels.dims();
        let whole = time / self.frames_stacked;
        let mels = mels.slice_dim(1, ..whole * self.frames_stacked);
        mels.reshape([batch, whole, self.frames_stacked * n_mels])
    }
}

/// Before any normalisation: `[batch, samples]` to `[batch, time, 80]`.
pub(super) fn log_mels(wave: &Tensor<2>) -> Tensor<3> {
    let device = wave.device();
    let frames = windows(wave.clone() * GREATEST_SAMPLE);
    let centered = frames.clone() - frames.mean_dim(2);
    let (real, imaginary) = rfft(emphasised(centered) * povey(&device), 2, Some(N_FFT));
    let power = real.square() + imaginary.square();
    let filters = mel_filters(&device).unsqueeze();
    power.matmul(filters).clamp_min(SMALLEST_POWER).log()
}

/// Each mel of each clip brought to zero mean and unit variance over time.
fn normalised(mels: Tensor<3>, clips: &Clips) -> Tensor<3> {
    let geometry = FrameGeometry { window_samples: WINDOW_SAMPLES, hop_samples: HOP_SAMPLES };
    let [batch, time, _] = mels.dims();
    let all = || FrameMask::of_counts(&vec![time; batch], time, &mels.device());
    let mask = clips.mask(geometry).unwrap_or_else(all);
    let centered = mels.clone() - mask.mean(mels);
    let variance = mask.unbiased_variance(centered.clone());
    mask.silenced(centered / (variance + SMALLEST_VARIANCE).sqrt())
}

/// Overlapping windows: `[batch, time, 400]`.
fn windows(wave: Tensor<2>) -> Tensor<3> {
    let [batch, samples] = wave.dims();
    assert!(samples >= WINDOW_SAMPLES, "{samples} samples are fewer than {WINDOW_SAMPLES}");
    let time = (samples - WINDOW_SAMPLES) / HOP_SAMPLES + 1;
    let hops = WINDOW_SAMPLES.div_ceil(HOP_SAMPLES);
    let reached = (time + hops - 1) * HOP_SAMPLES;
    let wave = match reached.checked_sub(samples) {
        None | Some(0) => wave.slice_dim(1, ..reached),
        Some(missing) => wave.pad([(0, missing)], 0.0),
    };
    let wave = wave.reshape([batch, time + hops - 1, HOP_SAMPLES]);
    let shifted = (0..hops).map(|it| wave.clone().slice_dim(1, it..it + time)).collect();
    Tensor::cat(shifted, 2).slice_dim(2, ..WINDOW_SAMPLES)
}

/// Each sample less a share of the one before, the first less a share of itself.
fn emphasised(frames: Tensor<3>) -> Tensor<3> {
    let first = frames.clone().slice_dim(2, ..1);
    let before = Tensor::cat(vec![first, frames.clone().slice_dim(2, ..WINDOW_SAMPLES - 1)], 2);
    frames - before * PRE_EMPHASIS
}

/// Kaldi's window, a power of Hann's: `[1, 1, 400]`.
fn povey(device: &Device) -> Tensor<3> {
    let hann = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / (WINDOW_SAMPLES - 1) as f64).cos();
    let values: Vec<f32> = (0..WINDOW_SAMPLES).map(|n| hann(n).powf(0.85) as f32).collect();
    Tensor::from_data(TensorData::new(values, [1, 1, WINDOW_SAMPLES]), device)
}

/// Triangles between frequencies that are equally far apart in mels: `[257, 80]`.
pub(super) fn mel_filters(device: &Device) -> Tensor<2> {
    let bins = N_FFT / 2 + 1;
    let (lowest, highest) = (mel(LOWEST_HZ), mel(SAMPLE_RATE_HZ / 2.0));
    let step = (highest - lowest) / (N_MELS + 1) as f64;
    let mut values = Vec::with_capacity(bins * N_MELS);
    for bin in 0..bins {
        let at = (mel(SAMPLE_RATE_HZ * bin as f64 / N_FFT as f64) - lowest) / step;
        // Filter `n` rises from step `n` to the next, and falls to the one after.
        values.extend((0..N_MELS).map(|n| {
            let (rise, fall) = (at - n as f64, n as f64 + 2.0 - at);
            rise.min(fall).max(0.0) as f32
        }));
    }
    Tensor::from_data(TensorData::new(values, [bins, N_MELS]), device)
}

fn mel(hz: f64) -> f64 {
    1127.0 * (1.0 + hz / 700.0).ln()
}
