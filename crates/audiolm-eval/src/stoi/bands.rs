//! The spectrum of a wave in third-octave bands.

use std::f64::consts::PI;
use std::ops::Range;

use super::{FRAME, RATE_HZ, frame_starts};
use crate::power_spectrum::PowerSpectrum;

/// Points of the Fourier transform: frames are padded to twice their length.
const N_FFT: usize = 512;
/// How many bands there are. J in the paper.
const N_BANDS: usize = 15;
/// Centre of the lowest band.
const LOWEST_HZ: f64 = 150.0;

/// A Hann window without the two zeros at its ends.
pub(super) fn window() -> [f64; FRAME] {
    std::array::from_fn(|i| 0.5 - 0.5 * (2.0 * PI * (i + 1) as f64 / (FRAME + 1) as f64).cos())
}

/// Magnitudes `[band][frame]` (equation 1).
pub(super) fn third_octaves(wave: &[f64]) -> Vec<Vec<f64>> {
    let bands: Vec<Range<usize>> = (0..N_BANDS).map(band_bins).collect();
    let (transform, window) = (PowerSpectrum::new(N_FFT), window());
    let mut magnitudes = vec![Vec::new(); N_BANDS];
    for start in frame_starts(wave.len()) {
        let spectrum = transform.of(window.iter().zip(&wave[start..]).map(|(w, it)| w * it));
        for (band, magnitudes) in bands.iter().zip(&mut magnitudes) {
            let power: f64 = spectrum[band.clone()].iter().sum();
            magnitudes.push(power.sqrt());
        }
    }
    magnitudes
}

/// The bins of a band, whose edges lie a sixth of an octave from its centre.
fn band_bins(band: usize) -> Range<usize> {
    let edge = |sixths: f64| nearest_bin(LOWEST_HZ * 2f64.powf(sixths / 6.0));
    edge(2.0 * band as f64 - 1.0)..edge(2.0 * band as f64 + 1.0)
}

fn nearest_bin(hz: f64) -> usize {
    (hz * N_FFT as f64 / f64::from(RATE_HZ)).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_those_of_pystoi() {
        let edges: Vec<usize> = (0..N_BANDS).map(|band| band_bins(band).start).collect();
        assert_eq!(edges, [7, 9, 11, 14, 17, 22, 27, 34, 43, 55, 69, 87, 109, 138, 174]);
        assert_eq!(band_bins(N_BANDS - 1).end, 219);
    }
}
