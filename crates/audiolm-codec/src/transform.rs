//! First weights that already code sound: a cosine transform and its inverse.
//!
//! A deep stack of random convolutions passes next to nothing of its input on, and spends thousands
//! of steps on lining the decoder up with the encoder. Here every strided convolution starts by
//! splitting each band of frequencies into `stride` narrower ones (a discrete cosine transform of
//! `stride` frames), lowest first, as many as there are channels; the decoder's convolutions start
//! as the inverse, and the residual units as nothing added. So the untrained codec passes the
//! lowest `dimension` of `hop` equal bands below half the sample rate, and training starts from
//! there. Channels that carry no band start at random, unheard.
//!
//! Of two waves, the bands are those of their sum and of their difference, by turns: what both
//! sides have in common and what sets them apart get equal shares.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use burn::prelude::*;

use crate::{Channels, SoundStreamConfig};

/// Level of the signal between the convolutions, which is low enough for the activations to be
/// all but linear.
const INNER_LEVEL: f64 = 0.25;
/// How far each band is raised above the one below it, as a power of its number, before it is
/// quantised. Between 0 and 0.6 it made no difference to the intelligibility of codes.
const BAND_EMPHASIS: f64 = 0.3;
/// What brings bands of speech to a level near one.
const FRAME_LEVEL: f64 = 6.0;

/// The bands that encoder and decoder pass on at each of their levels, from samples to frames.
#[derive(Debug, Clone)]
pub(crate) struct BandSplits {
    levels: Vec<Vec<Band>>,
    frame_bands: usize,
    channels: Channels,
}

/// A band of a level: a cosine over `stride` frames of a band of the level before.
#[derive(Debug, Clone, Copy)]
struct Band {
    parent: usize,
    /// Half periods of the cosine.
    order: usize,
    stride: usize,
}

impl BandSplits {
    pub(crate) fn new(config: &SoundStreamConfig) -> Self {
        let n_waves = config.channels.count();
        let mut channels = config.encoder_channels.min(config.decoder_channels);
        let mut parents = n_waves;
        let mut levels: Vec<Vec<Band>> = Vec::new();
        for stride in &config.strides {
            channels *= 2;
            let bands: Vec<_> = (0..channels.min(parents * stride))
                .map(|it| Band::of_waves(it, *stride, n_waves))
                .collect();
            parents = bands.len();
            levels.push(bands);
        }
        // A band that no dimension carries must not reach the output from a channel of noise.
        let frame_bands = parents.min(config.dimension);
        if let Some(last) = levels.last_mut() {
            last.truncate(frame_bands);
        }
        Self { levels, frame_bands, channels: config.channels }
    }

    /// The first convolution's kernels `[channels_out, waves, taps]`: the waves themselves, or what
    /// [`mixing`] makes of them, in the first channels, random filters in the others, all at
    /// [`INNER_LEVEL`].
    pub(crate) fn enter_channels(&self, weight: Tensor<3>) -> Tensor<3> {
        let [_, n_waves, taps] = weight.dims();
        let kernels = self.mixed([n_waves, n_waves, taps], 1.0);
        kernels.above(weight) * INNER_LEVEL
    }

    /// The last convolution's kernels `[waves, channels_in, taps]`: the inverse of
    /// [`enter_channels`](Self::enter_channels), and nothing of other channels.
    pub(crate) fn leave_channels(&self, shape: [usize; 3], device: &Device) -> Tensor<3> {
        self.mixed(shape, 1.0 / INNER_LEVEL).on(device)
    }

    fn mixed(&self, shape: [usize; 3], level: f64) -> Kernels {
        let mut kernels = Kernels::zeros(shape);
        for (to, row) in mixing(self.channels).iter().enumerate() {
            for (from, share) in row.iter().enumerate() {
                kernels.place([to, from, shape[2] - 1], &[(share * level) as f32]);
            }
        }
        kernels
    }

    /// The strided convolution's kernels `[channels_out, channels_in, 2 * stride]`, those of the
    /// bands in place of the random ones of `weight`. A cosine lies on the newer half.
    pub(crate) fn split(&self, level: usize, weight: Tensor<3>) -> Tensor<3> {
        let [_, channels_in, taps] = weight.dims();
        let bands = &self.levels[level];
        let mut kernels = Kernels::zeros([bands.len(), channels_in, taps]);
        for (index, band) in bands.iter().enumerate() {
            kernels.place([index, band.parent, taps / 2], &band.cosine());
        }
        kernels.above(weight)
    }

    /// The transposed convolution's kernels `[channels_in, channels_out, 2 * stride]`: the inverse
    /// of [`split`](Self::split), and nothing of other channels.
    pub(crate) fn join(&self, level: usize, shape: [usize; 3], device: &Device) -> Tensor<3> {
        let mut kernels = Kernels::zeros(shape);
        for (index, band) in self.levels[level].iter().enumerate() {
            kernels.place([index, band.parent, 0], &band.cosine());
        }
        kernels.on(device)
    }

    /// The kernels from the last level's bands to a frame's vector, in place of the random ones of
    /// `weight: [dimension, channels, taps]`.
    pub(crate) fn enter_frame(&self, weight: Tensor<3>) -> Tensor<3> {
        self.one_to_one(weight, |band| self.frame_gain(band))
    }

    /// The inverse of [`enter_frame`](Self::enter_frame): `[channels, dimension, taps]`.
    pub(crate) fn leave_frame(&self, weight: Tensor<3>) -> Tensor<3> {
        self.one_to_one(weight, |band| 1.0 / self.frame_gain(band))
    }

    fn one_to_one(&self, weight: Tensor<3>, gain: impl Fn(usize) -> f64) -> Tensor<3> {
        let [_, channels_in, taps] = weight.dims();
        let mut kernels = Kernels::zeros([self.frame_bands, channels_in, taps]);
        for band in 0..self.frame_bands {
            kernels.place([band, band, taps - 1], &[gain(band) as f32]);
        }
        kernels.above(weight)
    }

    fn frame_gain(&self, band: usize) -> f64 {
        let number = 1 + band / self.channels.count();
        FRAME_LEVEL / INNER_LEVEL * (number as f64).powf(BAND_EMPHASIS)
    }
}

impl Band {
    /// Band `index` of a level, counted from the lowest frequency. Every other band above it has
    /// its frequencies upside down, so that its cosines count backwards.
    fn new(index: usize, stride: usize) -> Self {
        let (parent, order) = (index / stride, index % stride);
        let order = if parent.is_multiple_of(2) { order } else { stride - 1 - order };
        Self { parent, order, stride }
    }

    /// Band `index` of a level on which those of `n_waves` waves take turns.
    fn of_waves(index: usize, stride: usize, n_waves: usize) -> Self {
        let band = Self::new(index / n_waves, stride);
        Self { parent: band.parent * n_waves + index % n_waves, ..band }
    }

    /// Of length one, and orthogonal to the other cosines of its parent.
    fn cosine(self) -> Vec<f32> {
        let stride = self.stride as f64;
        let scale = if self.order == 0 { 1.0 / stride } else { 2.0 / stride }.sqrt();
        let angle = |frame: usize| PI * (frame as f64 + 0.5) * self.order as f64 / stride;
        (0..self.stride).map(|it| (scale * angle(it).cos()) as f32).collect()
    }
}

/// Kernels `[channels_out, channels_in, taps]` on the host.
struct Kernels {
    values: Vec<f32>,
    shape: [usize; 3],
}

impl Kernels {
    fn zeros(shape: [usize; 3]) -> Self {
        Self { values: vec![0.0; shape.iter().product()], shape }
    }

    fn place(&mut self, [first, second, tap]: [usize; 3], values: &[f32]) {
        let start = (first * self.shape[1] + second) * self.shape[2] + tap;
        self.values[start..start + values.len()].copy_from_slice(values);
    }

    /// These kernels, and those of `weight` for the output channels after them.
    fn above(self, weight: Tensor<3>) -> Tensor<3> {
        let [n, _, _] = self.shape;
        let device = weight.device();
        Tensor::cat(vec![self.on(&device), weight.slice_dim(0, n..)], 0)
    }

    fn on(self, device: &Device) -> Tensor<3> {
        Tensor::from_data(TensorData::new(self.values, self.shape), device)
    }
}

/// What the first channels are of the waves, one row for each; its own inverse.
fn mixing(channels: Channels) -> Vec<Vec<f64>> {
    match channels {
        Channels::Mono => vec![vec![1.0]],
        Channels::Stereo => {
            vec![vec![FRAC_1_SQRT_2, FRAC_1_SQRT_2], vec![FRAC_1_SQRT_2, -FRAC_1_SQRT_2]]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_cosines_are_orthonormal(stride: usize) {
        let cosines: Vec<_> = (0..2 * stride).map(|it| Band::new(it, stride).cosine()).collect();
        for (at, a) in cosines.iter().enumerate() {
            for (other, b) in cosines.iter().enumerate() {
                let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let same_parent = at / stride == other / stride;
                let expected = if at == other { 1.0 } else { 0.0 };
                if same_parent {
                    assert!((product - expected).abs() < 1e-5, "{product} of {at} and {other}");
                }
            }
        }
    }

    #[test]
    fn cosines_of_a_band_are_orthonormal() {
        for stride in [1, 2, 5, 8] {
            check_cosines_are_orthonormal(stride);
        }
    }

    #[test]
    fn every_other_band_counts_backwards() {
        let orders: Vec<_> = (0..6).map(|it| Band::new(it, 3).order).collect();
        assert_eq!(orders, [0, 1, 2, 2, 1, 0]);
    }

    #[test]
    fn bands_are_as_many_as_channels_and_dimensions_allow() {
        let splits = BandSplits::new(&SoundStreamConfig::tiny_16khz());
        let bands: Vec<_> = splits.levels.iter().map(Vec::len).collect();
        assert_eq!((bands, splits.frame_bands), (vec![8, 32, 64, 128], 128));
    }

    #[test]
    fn sum_and_difference_get_equal_shares() {
        let config = SoundStreamConfig {
            channels: Channels::Stereo,
            strides: vec![3, 2],
            ..SoundStreamConfig::tiny_16khz()
        };
        let splits = BandSplits::new(&config);
        let parents = |level: usize| splits.levels[level].iter().map(|it| it.parent);
        assert_eq!(parents(0).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1]);
        assert_eq!(parents(1).collect::<Vec<_>>(), [0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5]);
    }
}
