//! How much of each frequency is in a frame.

use rustfft::algorithm::Radix4;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection, Length};

/// The transform of frames of one length.
///
/// A plan for any length would bring every algorithm of the library along.
pub(crate) struct PowerSpectrum {
    fft: Radix4<f64>,
}

impl PowerSpectrum {
    /// For frames of `n_fft` values.
    ///
    /// # Panics
    /// Unless that is a power of two.
    pub(crate) fn new(n_fft: usize) -> Self {
        Self { fft: Radix4::new(n_fft, FftDirection::Forward) }
    }

    /// The squared magnitudes of a frame, from 0 Hz to half the sampling rate: `[n_fft / 2 + 1]`.
    /// Values that a short frame lacks are zeros behind it.
    pub(crate) fn of(&self, frame: impl Iterator<Item = f64>) -> Vec<f64> {
        let n_fft = self.fft.len();
        let zeros = std::iter::repeat(0.0);
        let values = frame.chain(zeros).take(n_fft).map(|it| Complex::new(it, 0.0));
        let mut bins: Vec<Complex<f64>> = values.collect();
        self.fft.process(&mut bins);
        bins[..=n_fft / 2].iter().map(Complex::norm_sqr).collect()
    }
}
