//! The log-mels that w2v-BERT 2.0 hears.

use std::f64::consts::TAU;

use burn::prelude::*;
use burn::signal::rfft;

use super::config::{ConformerConfig, HOP_SAMPLES, LOWEST_HZ, MelNormalisation, WINDOW_SAMPLES};
use crate::FrameGeometry;
use crate::clips::{Clips, FrameMask};

/// Points of the Fourier transform.
const N_FFT: usize = 512;
/// Samples per second.
const SAMPLE_RATE_HZ: f64 = 16_000.0;
/// Waves are taken as if they were 16-bit integers.
const GREATEST_SAMPLE: f64 = 32_768.0;
/// Share of the sample before that is subtracted from each.
const PRE_EMPHASIS: f64 = 0.97;
/// The smallest power whose logarithm is taken: 2^-23.
const SMALLEST_POWER: f64 = 1.192_092_955_078_125e-7;
/// Keeps a mel that never changes from being divided by its deviation.
const SMALLEST_VARIANCE: f64 = 1e-7;

/// About the mean of the log-mels of speech at the reference level.
const MEAN: f64 = 15.0;
/// About the deviation of the log-mels of speech.
const DEVIATION: f64 = 4.0;

/// Logarithms of mel spectra as Kaldi makes them, 100 frames a second, normalised, and so many frames
/// side by side.
#[derive(Debug, Clone)]
pub(super) struct LogMels {
    frames_stacked: usize,
    filters: MelFilters,
    normalisation: MelNormalisation,
}

/// Triangles between frequencies that are equally far apart in mels.
#[derive(Debug, Clone, Copy)]
pub(super) struct MelFilters {
    pub(super) n_mels: usize,
    pub(super) highest_hz: f64,
}

impl LogMels {
    pub(super) fn new(config: &ConformerConfig) -> Self {
        let ConformerConfig { n_mels, highest_hz, frames_stacked, .. } = *config;
        let filters = MelFilters { n_mels, highest_hz };
        Self { frames_stacked, filters, normalisation: config.mel_normalisation }
    }

    /// Frames at a clip's end that make no whole stack are left out, after they have counted in the
    /// mean and the variance.
    ///
    /// # Shapes
    /// - output: `[batch, time, frames_stacked * n_mels]`
    ///
    /// # Panics
    /// Where a clip is too short for one frame.
    pub(super) fn forward(&self, clips: &Clips) -> Tensor<3> {
        let mels = log_mels(clips.wave(), self.filters);
        let mels = match self.normalisation {
            MelNormalisation::Clip => normalised(mels, clips),
            MelNormalisation::Fixed => (mels - MEAN) / DEVIATION,
            MelNormalisation::Level => (mels.clone() - level(mels, clips)) / DEVIATION,
        };
        let [batch, time, n_mels] = mels.dims();
        let whole = time / self.frames_stacked;
        let mels = mels.slice_dim(1, ..whole * self.frames_stacked);
        mels.reshape([batch, whole, self.frames_stacked * n_mels])
    }
}

/// Before any normalisation: `[batch, samples]` to `[batch, time, n_mels]`.
pub(super) fn log_mels(wave: &Tensor<2>, filters: MelFilters) -> Tensor<3> {
    let device = wave.device();
    let frames = windows(wave.clone() * GREATEST_SAMPLE);
    let centered = frames.clone() - frames.mean_dim(2);
    let (real, imaginary) = rfft(emphasised(centered) * povey(&device), 2, Some(N_FFT));
    let power = real.square() + imaginary.square();
    power.matmul(filters.bins(&device).unsqueeze()).clamp_min(SMALLEST_POWER).log()
}

/// Each mel of each clip brought to zero mean and unit variance over time.
fn normalised(mels: Tensor<3>, clips: &Clips) -> Tensor<3> {
    let mask = FrameMask::of_counts(&windows_of(clips), mels.dims()[1], &mels.device());
    let centered = mels.clone() - mask.mean(mels);
    let variance = mask.unbiased_variance(centered.clone());
    mask.silenced(centered / (variance + SMALLEST_VARIANCE).sqrt())
}

/// The mean of the louder half of each clip: `[batch, 1, 1]`.
fn level(mels: Tensor<3>, clips: &Clips) -> Tensor<3> {
    let (counts, time, device) = (windows_of(clips), mels.dims()[1], mels.device());
    let own = FrameMask::of_counts(&counts, time, &device);
    let louder = counts.iter().map(|it| it.div_ceil(2)).collect::<Vec<_>>();
    let loudness = mels.mean_dim(2);
    // What lies beyond a clip's end becomes as quiet as the quietest frame of all, and comes last.
    let quietest = loudness.clone().min().unsqueeze::<3>();
    let loudest_first = own.silenced(loudness - quietest.clone()).sort_descending(1);
    FrameMask::of_counts(&louder, time, &device).mean(loudest_first) + quietest
}

/// Windows of each clip.
fn windows_of(clips: &Clips) -> Vec<usize> {
    let geometry = FrameGeometry { window_samples: WINDOW_SAMPLES, hop_samples: HOP_SAMPLES };
    clips.lengths().into_iter().map(|it| geometry.frames(it)).collect()
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

impl MelFilters {
    /// How much of each frequency each filter hears: `[257, n_mels]`.
    pub(super) fn bins(self, device: &Device) -> Tensor<2> {
        let bins = N_FFT / 2 + 1;
        let (lowest, highest) = (mel(LOWEST_HZ), mel(self.highest_hz));
        let step = (highest - lowest) / (self.n_mels + 1) as f64;
        let mut values = Vec::with_capacity(bins * self.n_mels);
        for bin in 0..bins {
            let at = (mel(SAMPLE_RATE_HZ * bin as f64 / N_FFT as f64) - lowest) / step;
            // Filter `n` rises from step `n` to the next, and falls to the one after.
            values.extend((0..self.n_mels).map(|n| {
                let (rise, fall) = (at - n as f64, n as f64 + 2.0 - at);
                rise.min(fall).max(0.0) as f32
            }));
        }
        Tensor::from_data(TensorData::new(values, [bins, self.n_mels]), device)
    }
}

fn mel(hz: f64) -> f64 {
    1127.0 * (1.0 + hz / 700.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;
    use rand::RngExt;

    /// Log-mels compared with the level of their clip.
    fn levelled(clips: impl Into<Clips>) -> Tensor<3> {
        let mels = LogMels {
            frames_stacked: 1,
            filters: MelFilters { n_mels: 20, highest_hz: 4000.0 },
            normalisation: MelNormalisation::Level,
        };
        mels.forward(&clips.into())
    }

    /// Noise that grows louder, so that its halves differ.
    fn growing(samples: usize, gain: f32) -> Vec<f32> {
        let mut rng = generator(0, "noise", 0);
        let loudness = |it: usize| gain * (it + 1) as f32 / samples as f32;
        (0..samples).map(|it| loudness(it) * rng.random_range(-1.0..1.0f32)).collect()
    }

    fn wave(samples: &[f32]) -> Tensor<2> {
        Tensor::<1>::from_data(samples, &Device::default()).unsqueeze()
    }

    #[track_caller]
    fn check_same(found: Tensor<3>, expected: Tensor<3>) {
        let tolerance = burn::tensor::Tolerance::<f32>::absolute(1e-4);
        found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
    }

    #[test]
    fn the_level_of_a_recording_does_not_count() {
        let [loud, quiet] = [0.5, 0.05].map(|gain| wave(&growing(4000, gain)));
        check_same(levelled(loud), levelled(quiet));
    }

    #[test]
    fn the_louder_half_is_at_zero() {
        let mels = levelled(wave(&growing(4000, 0.5)));
        let [_, time, _] = mels.dims();
        let mut loudness: Vec<f32> = mels.mean_dim(2).into_data().try_to_vec().unwrap();
        loudness.sort_by(f32::total_cmp);
        let louder = &loudness[time / 2..];
        let mean = louder.iter().sum::<f32>() / louder.len() as f32;
        assert!(mean.abs() < 1e-4, "{mean}");
        assert!(loudness[0] < -0.5, "{}", loudness[0]);
    }

    #[test]
    fn a_clip_has_its_own_level_beside_a_longer_one() {
        let (short, long) = (growing(2000, 0.1), growing(5000, 0.8));
        let padded: Vec<f32> = short.iter().copied().chain([0.0; 3000]).collect();
        let both = Tensor::cat(vec![wave(&padded), wave(&long)], 0);
        let both = levelled(Clips::of_lengths(both, &[2000, 5000]));
        let alone = levelled(wave(&short));
        let frames = alone.dims()[1];
        check_same(both.clone().narrow(0, 0, 1).slice_dim(1, ..frames), alone);
        check_same(both.narrow(0, 1, 1), levelled(wave(&long)));
    }
}
