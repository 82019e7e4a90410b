//! Short-time spectra, differentiable and the same on every backend.
//!
//! Powers of two go through burn's fast Fourier transform. It takes no other length, so the others
//! (25 ms at 16 kHz are 400 samples) are one product of all windows with a matrix of cosines and
//! sines.

use std::f64::consts::TAU;

use burn::prelude::*;
use burn::signal::rfft;

/// What surrounds the signal.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Only whole windows inside the signal.
    None,
    /// Half a window mirrored at each end, so that frame `t` is centred on sample `t * hop`
    /// (`center=True` in PyTorch).
    Reflect,
}

/// Sizes of a short-time Fourier transform with a periodic Hann window.
#[derive(Config, Debug)]
pub struct StftConfig {
    /// Points of the transform: `n_fft / 2 + 1` bins.
    pub n_fft: usize,
    /// Samples of the window, at most `n_fft`.
    pub window_length: usize,
    /// Samples from one frame to the next.
    pub hop: usize,
    /// What surrounds the signal.
    #[config(default = "Padding::Reflect")]
    pub padding: Padding,
}

/// A short-time Fourier transform on one device.
#[derive(Debug, Clone)]
pub struct Stft {
    config: StftConfig,
    transform: Transform,
}

/// The two parts of short-time spectra, each `[batch, frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Sums with cosines.
    pub real: Tensor<3>,
    /// Sums with sines, negative.
    pub imaginary: Tensor<3>,
}

#[derive(Debug, Clone)]
enum Transform {
    Fast {
        /// `[1, 1, window_length]`
        window: Tensor<3>,
    },
    Product {
        /// Windowed cosines, then sines: `[window_length, 2 * bins]`.
        basis: Tensor<2>,
    },
}

impl StftConfig {
    /// Builds the transform.
    ///
    /// # Panics
    /// Where a size is zero or the window is longer than the transform.
    pub fn init(&self, device: &Device) -> Stft {
        assert!(self.hop > 0 && self.window_length > 0, "window and hop must be at least 1");
        assert!(self.window_length <= self.n_fft, "the window must fit into the transform");
        let transform = match self.n_fft.is_power_of_two() {
            true => Transform::Fast { window: self.window(device) },
            false => Transform::Product { basis: self.basis(device) },
        };
        Stft { config: self.clone(), transform }
    }

    /// Frames of a signal of `samples`.
    pub fn frames(&self, samples: usize) -> usize {
        let padded = samples + 2 * self.padding_samples();
        if padded < self.window_length { 0 } else { (padded - self.window_length) / self.hop + 1 }
    }

    fn padding_samples(&self) -> usize {
        match self.padding {
            Padding::None => 0,
            Padding::Reflect => self.window_length / 2,
        }
    }

    /// Hann's, periodic, at sample `n`.
    fn hann(&self, n: usize) -> f64 {
        0.5 - 0.5 * (TAU * n as f64 / self.window_length as f64).cos()
    }

    fn window(&self, device: &Device) -> Tensor<3> {
        let values: Vec<f32> = (0..self.window_length).map(|n| self.hann(n) as f32).collect();
        Tensor::from_data(TensorData::new(values, [1, 1, self.window_length]), device)
    }

    fn basis(&self, device: &Device) -> Tensor<2> {
        let bins = self.n_fft / 2 + 1;
        let mut values = Vec::with_capacity(self.window_length * 2 * bins);
        for n in 0..self.window_length {
            let angle = |k: usize| TAU * ((n * k) % self.n_fft) as f64 / self.n_fft as f64;
            values.extend((0..bins).map(|k| (self.hann(n) * angle(k).cos()) as f32));
            values.extend((0..bins).map(|k| (self.hann(n) * angle(k).sin()) as f32));
        }
        Tensor::from_data(TensorData::new(values, [self.window_length, 2 * bins]), device)
    }
}

impl Stft {
    /// Squared magnitudes.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`
    /// - output: `[batch, frames, n_fft / 2 + 1]`
    ///
    /// # Panics
    /// Where the wave is shorter than one window.
    pub fn power(&self, wave: Tensor<2>) -> Tensor<3> {
        let Spectrum { real, imaginary } = self.spectrum(wave);
        real.square() + imaginary.square()
    }

    /// Real and imaginary parts; shapes and panics as in [`power`](Self::power).
    pub fn spectrum(&self, wave: Tensor<2>) -> Spectrum {
        let frames = self.frames(wave);
        match &self.transform {
            Transform::Fast { window } => {
                let (real, imaginary) = rfft(frames * window.clone(), 2, Some(self.config.n_fft));
                Spectrum { real, imaginary }
            }
            Transform::Product { basis } => {
                let bins = self.config.n_fft / 2 + 1;
                let parts = frames.matmul(basis.clone().unsqueeze());
                let real = parts.clone().slice_dim(2, ..bins);
                // The basis holds sines; the transform turns the other way.
                Spectrum { real, imaginary: -parts.slice_dim(2, bins..) }
            }
        }
    }

    /// Overlapping windows: `[batch, frames, window_length]`.
    fn frames(&self, wave: Tensor<2>) -> Tensor<3> {
        let StftConfig { window_length, hop, padding, .. } = self.config;
        let [_, samples] = wave.dims();
        let frames = self.config.frames(samples);
        assert!(frames > 0, "{samples} samples are shorter than a window of {window_length}");
        let wave = match padding {
            Padding::None => wave,
            Padding::Reflect => reflected(wave, window_length / 2),
        };
        blocks(wave, frames, hop, window_length)
    }
}

/// The windows, put together from blocks of one hop: `[batch, frames, window_length]`.
///
/// Each block is copied once for each window it is in; gradients flow through slices and `cat`
/// alone.
fn blocks(wave: Tensor<2>, frames: usize, hop: usize, window_length: usize) -> Tensor<3> {
    let [batch, samples] = wave.dims();
    let per_window = window_length.div_ceil(hop);
    let n_blocks = frames + per_window - 1;
    let missing = (n_blocks * hop).saturating_sub(samples);
    let wave = match missing {
        0 => wave.slice_dim(1, ..n_blocks * hop),
        _ => Tensor::cat(vec![wave.clone(), Tensor::zeros([batch, missing], &wave.device())], 1),
    };
    let blocks = wave.reshape([batch, n_blocks, hop]);
    let shifted = (0..per_window).map(|it| blocks.clone().slice_dim(1, it..it + frames)).collect();
    Tensor::cat(shifted, 2).slice_dim(2, ..window_length)
}

/// `pad` samples mirrored at each end, the edge sample itself not repeated.
fn reflected(wave: Tensor<2>, pad: usize) -> Tensor<2> {
    let [_, samples] = wave.dims();
    assert!(samples > pad, "{samples} samples cannot be mirrored over {pad}");
    let before = wave.clone().slice_dim(1, 1..=pad).flip([1]);
    let after = wave.clone().slice_dim(1, samples - pad - 1..samples - 1).flip([1]);
    Tensor::cat(vec![before, wave, after], 1)
}
