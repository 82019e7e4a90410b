//! The complex spectrum that discriminators look at.

use audiolm_nn::{Padding, StftConfig};
use burn::prelude::*;

/// Real and imaginary part of a wave's short-time Fourier transform under a Hann window, whole
/// windows only, scaled by the root of the window's energy so that noise keeps its level at any
/// window.
///
/// # Shapes
/// - wave: `[batch, 1, samples]`
/// - output: `[batch, frames, window / 2 + 1, 2]`
///
/// # Panics
/// Where the wave is shorter than one window.
pub(crate) fn complex_spectrum(wave: Tensor<3>, window: usize, hop: usize) -> Tensor<4> {
    let stft = StftConfig::new(window, window, hop).with_padding(Padding::None);
    let spectrum = stft.init(&wave.device()).spectrum(wave.squeeze_dim(1));
    let parts = Tensor::stack(vec![spectrum.real, spectrum.imaginary], 3);
    // The squares of a periodic Hann window sum to 3/8 of its length.
    parts / (0.375 * window as f64).sqrt()
}
