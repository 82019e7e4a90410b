//! The product of the windows of a signal with a matrix of few columns, on one core.
//!
//! General products rearrange a matrix for tiles of some fifty columns, and are slow where it has
//! fewer: a layer of 32 channels reaches a third of what one of 128 does. Here a tile is some windows by
//! [`WIDE`] or [`NARROW`] columns, whose sums stay in registers until they are done, and frames have one
//! of a few sizes, so that windows need no addresses of their own.

use pulp::{Simd, WithSimd};

/// Columns of a tile where there are so many.
const WIDE: usize = 32;

/// Columns of the last tile where there are fewer.
const NARROW: usize = 16;

/// Windows of `CHANNELS * taps` numbers, each a frame after the one before, times a matrix, plus a bias.
pub(crate) struct TileProduct<'a, const CHANNELS: usize> {
    pub(crate) frames: &'a [[f32; CHANNELS]],
    /// `[taps * CHANNELS, columns]`
    pub(crate) matrix: &'a [f32],
    /// `[columns]`, a multiple of [`NARROW`].
    pub(crate) bias: &'a [f32],
    /// `[windows, columns]`
    pub(crate) output: &'a mut [f32],
}

impl<const CHANNELS: usize> WithSimd for TileProduct<'_, CHANNELS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let wide = self.bias.len() / WIDE * WIDE;
        for first in (0..wide).step_by(WIDE) {
            match S::F32_LANES {
                16 => self.columns::<S, 12, 2>(simd, first),
                8 => self.columns::<S, 3, 4>(simd, first),
                4 => self.columns::<S, 2, 8>(simd, first),
                _ => self.columns::<S, 1, WIDE>(simd, first),
            }
        }
        for first in (wide..self.bias.len()).step_by(NARROW) {
            match S::F32_LANES {
                16 => self.columns::<S, 24, 1>(simd, first),
                8 => self.columns::<S, 6, 2>(simd, first),
                4 => self.columns::<S, 2, 4>(simd, first),
                _ => self.columns::<S, 1, NARROW>(simd, first),
            }
        }
    }
}

impl<const CHANNELS: usize> TileProduct<'_, CHANNELS> {
    /// The columns that fit into `V` registers, from `first` on, of `R` windows at a time.
    #[inline(always)]
    fn columns<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, first: usize) {
        let n = self.output.len() / self.bias.len();
        if n < R {
            return (0..n).for_each(|it| self.tile::<S, 1, V>(simd, it, first));
        }
        // The last tile may make again what the one before has made.
        for window in (0..n).step_by(R) {
            self.tile::<S, R, V>(simd, window.min(n - R), first);
        }
    }

    #[allow(clippy::needless_range_loop, reason = "a borrowed array of sums would live in memory")]
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        window: usize,
        first: usize,
    ) {
        let columns = self.bias.len();
        let mut sums = [vectors::<S, V>(&self.bias[first..]); R];
        for (tap, matrix) in self.matrix.chunks_exact(columns * CHANNELS).enumerate() {
            let frames: &[[f32; CHANNELS]; R] =
                self.frames[window + tap..].first_chunk().expect("windows end with the signal");
            for channel in 0..CHANNELS {
                let row = vectors::<S, V>(&matrix[channel * columns + first..]);
                for r in 0..R {
                    let number = simd.splat_f32s(frames[r][channel]);
                    for v in 0..V {
                        sums[r][v] = simd.mul_add_f32s(number, row[v], sums[r][v]);
                    }
                }
            }
        }
        for r in 0..R {
            let output = &mut self.output[(window + r) * columns + first..];
            let output: &mut [S::f32s; V] =
                S::as_mut_simd_f32s(output).0.first_chunk_mut().expect("columns fill registers");
            *output = sums[r];
        }
    }
}

/// The first numbers of some, as many as fit into `V` registers.
#[inline(always)]
fn vectors<S: Simd, const V: usize>(numbers: &[f32]) -> [S::f32s; V] {
    *S::as_simd_f32s(numbers).0.first_chunk().expect("columns fill registers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::Arch;

    /// Of `n` windows of two frames.
    #[track_caller]
    fn check<const CHANNELS: usize>(n: usize, columns: usize) {
        let number = |it: usize| ((it * 7919) % 31) as f32 * 0.1 - 1.5;
        let signal: Vec<f32> = (0..(n + 1) * CHANNELS).map(number).collect();
        let matrix: Vec<f32> = (0..2 * CHANNELS * columns).map(|it| number(it + 5)).collect();
        let bias: Vec<f32> = (0..columns).map(number).collect();
        let mut output = vec![f32::NAN; n * columns];
        let frames = signal.as_chunks::<CHANNELS>().0;
        Arch::new().dispatch(TileProduct {
            frames,
            matrix: &matrix,
            bias: &bias,
            output: &mut output,
        });
        for (window, output) in output.chunks_exact(columns).enumerate() {
            for (column, found) in output.iter().enumerate() {
                let window = &signal[window * CHANNELS..][..2 * CHANNELS];
                let rows = matrix.iter().skip(column).step_by(columns);
                let sum: f32 = window.iter().zip(rows).map(|(a, b)| a * b).sum();
                let expected = sum + bias[column];
                assert!((found - expected).abs() < 1e-3, "{n}, {column}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn every_tile_is_full_or_made_again() {
        for n in [1, 5, 12, 13, 24, 61] {
            check::<8>(n, 16);
            check::<16>(n, 32);
            check::<32>(n, 48);
        }
    }
}
