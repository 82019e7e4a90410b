//! The features that HuBERT's first iteration clusters.

use std::f64::consts::PI;

use audiolm_nn::{MelConfig, Padding, Stft, StftConfig, mel_filterbank};
use burn::prelude::*;

use crate::FrameGeometry;

/// The smallest power whose logarithm is taken; 16-bit rounding noise lies far above.
const SMALLEST_POWER: f64 = 1e-10;

/// Configuration of [`Mfcc`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct MfccConfig {
    /// Samples per second of the waves.
    #[config(default = 16_000)]
    pub sample_rate_hz: usize,
    /// Mel filters.
    #[config(default = 23)]
    pub n_mels: usize,
    /// Cepstral coefficients, the first of which is the loudness.
    #[config(default = 13)]
    pub n_coefficients: usize,
}

/// Mel-frequency cepstral coefficients with their first and second differences over time.
///
/// HuBERT's first iteration clusters 13 coefficients and both differences, 39 features, of 25 ms
/// windows (Hsu et al. 2021, arXiv 2106.07447). What differs from fairseq, which
/// asks Kaldi's implementation for them:
///
/// - Frames are those of the encoder, one every 20 ms, so that each target belongs to one output.
///   fairseq computes one every 10 ms and drops every other.
/// - Windows are Hann's, without pre-emphasis, dithering and liftering. The two filters would
///   shift each log mel and scale each coefficient, which the normalisation of
///   [`Clustering`](crate::Clustering) removes.
#[derive(Debug, Clone)]
pub struct Mfcc {
    stft: Stft,
    /// `[bins, n_mels]`
    mels: Tensor<2>,
    /// `[n_mels, n_coefficients]`
    cosines: Tensor<2>,
}

impl MfccConfig {
    /// Prepares the windows of `geometry` on a device.
    pub fn init(&self, geometry: FrameGeometry, device: &Device) -> Mfcc {
        let FrameGeometry { window_samples, hop_samples } = geometry;
        let stft = StftConfig::new(window_samples, window_samples, hop_samples)
            .with_padding(Padding::None);
        let mels = MelConfig::new(self.sample_rate_hz, window_samples, self.n_mels);
        Mfcc {
            stft: stft.init(device),
            mels: mel_filterbank(&mels, device),
            cosines: cosines(self.n_mels, self.n_coefficients, device),
        }
    }
}

impl Mfcc {
    /// The features of each frame: coefficients, first differences, second differences.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`
    /// - output: `[batch, time, 3 * n_coefficients]`, `time` as [`FrameGeometry::frames`] says
    ///
    /// # Panics
    /// Where the wave is too short for one frame.
    pub fn forward(&self, wave: Tensor<2>) -> Tensor<3> {
        let mels = self.stft.power(wave).matmul(self.mels.clone().unsqueeze());
        let log_mels = mels.clamp_min(SMALLEST_POWER).log();
        let coefficients = log_mels.matmul(self.cosines.clone().unsqueeze());
        let first = differences(coefficients.clone());
        let second = differences(first.clone());
        Tensor::cat(vec![coefficients, first, second], 2)
    }
}

/// The orthonormal discrete cosine transform of type II: `[n_mels, n_coefficients]`.
fn cosines(n_mels: usize, n_coefficients: usize, device: &Device) -> Tensor<2> {
    let n = n_mels as f64;
    let mut values = Vec::with_capacity(n_mels * n_coefficients);
    for mel in 0..n_mels {
        values.extend((0..n_coefficients).map(|k| {
            let scale = if k == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
            (scale * (PI / n * (mel as f64 + 0.5) * k as f64).cos()) as f32
        }));
    }
    Tensor::from_data(TensorData::new(values, [n_mels, n_coefficients]), device)
}

/// The slope of a line through five frames, `Σ n (c_{t+n} - c_{t-n}) / (2 Σ n²)` for n = 1, 2; the
/// first and the last frame are repeated beyond the ends.
fn differences(features: Tensor<3>) -> Tensor<3> {
    let [_, time, _] = features.dims();
    let first = features.clone().narrow(1, 0, 1).repeat_dim(1, 2);
    let last = features.clone().narrow(1, time - 1, 1).repeat_dim(1, 2);
    let padded = Tensor::cat(vec![first, features, last], 1);
    let shifted = |by: usize| padded.clone().narrow(1, by, time);
    (shifted(3) - shifted(1) + (shifted(4) - shifted(0)) * 2.0) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn frames_are_those_of_the_encoder(samples in 400usize..4000) {
            let (config, device) = (presets::tiny(), Device::default());
            let mfcc = MfccConfig::new().init(config.geometry(), &device);
            let features = mfcc.forward(Tensor::zeros([2, samples], &device));
            prop_assert_eq!(features.dims(), [2, config.frames(samples), 39]);
        }
    }

    #[test]
    fn silence_is_finite_and_does_not_move() {
        let device = Device::default();
        let mfcc = MfccConfig::new().init(presets::tiny().geometry(), &device);
        let features = mfcc.forward(Tensor::zeros([1, 4000], &device));
        assert!(features.clone().is_finite().all().into_scalar::<bool>());
        assert_eq!(features.slice_dim(2, 13..).abs().max().into_scalar::<f32>(), 0.0);
    }
}
