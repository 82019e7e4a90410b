//! A short-time Fourier transform with a frame for each column of a picture.

use std::f64::consts::TAU;

use rustfft::algorithm::Radix4;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

use super::{Panel, View};

/// The length of a frame: 32 ms, which shows the harmonics of a voice and still its syllables.
const FRAME_SECONDS: f64 = 0.032;
/// Keeps the decibels of silence finite, far below any sound.
const FLOOR: f64 = 1e-16;

/// Loudness at each pixel of a panel, in decibels below full scale.
pub(super) struct Picture {
    /// Row after row from the top; none where the clip has no sound to show.
    db: Vec<Option<f32>>,
    columns: u32,
}

impl Picture {
    pub fn db(&self, column: u32, row: u32) -> Option<f32> {
        self.db[(row * self.columns + column) as usize]
    }

    pub fn loudest_db(&self) -> f32 {
        self.db.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}

/// The loudness of a clip over the pixels of a view.
///
/// Each column is a frame of its own, centred on the column's time; each row is the mean power of
/// the frequencies that it covers.
pub(super) fn analyse(panel: &Panel, view: &View) -> Picture {
    let rate = f64::from(panel.sample_rate_hz);
    let window = window((FRAME_SECONDS * rate).ceil().max(2.0) as usize);
    // Twice as many points as samples, so that rows between two bins are smooth.
    let n_fft = (2 * window.len()).next_power_of_two();
    // A plan for any length would bring every algorithm of the library along.
    let fft = Radix4::new(n_fft, FftDirection::Forward);
    // What a steady 1 would give, whatever the rate: so that clips of several rates compare.
    let full_scale = window.iter().sum::<f64>().powi(2);
    let edges: Vec<f64> =
        (0..=view.rows).map(|row| row_bin(row, view, n_fft as f64 / rate)).collect();
    let mut db = vec![None; (view.columns * view.rows) as usize];
    for column in 0..view.columns {
        let time = (f64::from(column) + 0.5) / f64::from(view.columns) * view.seconds;
        if time >= panel.seconds() {
            break;
        }
        let mut bins = frame(&panel.samples, (time * rate) as usize, &window);
        bins.resize(n_fft, Complex::default());
        fft.process(&mut bins);
        let sums = cumulative(bins[..=n_fft / 2].iter().map(|bin| bin.norm_sqr() / full_scale));
        for (row, edge) in edges.windows(2).enumerate() {
            let pixel = row * view.columns as usize + column as usize;
            db[pixel] = mean_power(&sums, edge[1], edge[0]).map(|power| decibels(power) as f32);
        }
    }
    Picture { db, columns: view.columns }
}

/// A Hann window.
fn window(n_samples: usize) -> Vec<f64> {
    (0..n_samples).map(|i| 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / n_samples as f64).cos()).collect()
}

/// The samples around `centre` under the window, zero where the clip has none.
fn frame(samples: &[f32], centre: usize, window: &[f64]) -> Vec<Complex<f64>> {
    let value = |(offset, w): (usize, &f64)| {
        let sample = (centre + offset).checked_sub(window.len() / 2).and_then(|i| samples.get(i));
        Complex::new(w * f64::from(*sample.unwrap_or(&0.0)), 0.0)
    };
    window.iter().enumerate().map(value).collect()
}

/// The bin at the upper edge of a row, fractions included.
fn row_bin(row: u32, view: &View, bins_per_hz: f64) -> f64 {
    view.hz_at(1.0 - f64::from(row) / f64::from(view.rows)) * bins_per_hz
}

/// Sums of all bins below each edge between bins; bin `k` reaches from `k - 0.5` to `k + 0.5`.
fn cumulative(powers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![0.0];
    for power in powers {
        sums.push(sums[sums.len() - 1] + power);
    }
    sums
}

/// The mean power from one bin to another, over the width of a bin at least.
fn mean_power(sums: &[f64], low: f64, high: f64) -> Option<f64> {
    let (centre, half) = ((low + high) / 2.0, ((high - low) / 2.0).max(0.5));
    if centre > (sums.len() - 2) as f64 {
        return None;
    }
    let (low, high) = ((centre - half).max(-0.5), (centre + half).min(sums.len() as f64 - 1.5));
    let sum_below = |bin: f64| {
        let position = bin + 0.5;
        let idx = (position as usize).min(sums.len() - 2);
        sums[idx] + (position - idx as f64) * (sums[idx + 1] - sums[idx])
    };
    Some((sum_below(high) - sum_below(low)) / (high - low))
}

fn decibels(power: f64) -> f64 {
    10.0 * power.max(FLOOR).log10()
}

#[cfg(test)]
mod tests {
    use super::super::FrequencyScale;
    use super::*;

    fn tone(hz: f64, sample_rate_hz: u32, seconds: f64) -> Panel {
        let rate = f64::from(sample_rate_hz);
        let sample = |i: usize| (TAU * hz * i as f64 / rate).sin() as f32;
        let samples = (0..(seconds * rate) as usize).map(sample).collect();
        Panel { title: "tone".into(), samples, sample_rate_hz }
    }

    /// The picture of a tone is brightest at the tone, and empty where there is none.
    #[track_caller]
    fn check_tone(hz: f64, scale: FrequencyScale) {
        let view = View { seconds: 1.0, highest_hz: 8000.0, scale, columns: 20, rows: 200 };
        let picture = analyse(&tone(hz, 8000, 0.5), &view);
        let level = |row: u32| picture.db(5, row).unwrap_or(f32::NEG_INFINITY);
        let brightest = (0..200).max_by(|&a, &b| level(a).total_cmp(&level(b))).unwrap();
        let expected = 200.0 * (1.0 - view.height_of(hz));
        assert!((f64::from(brightest) + 0.5 - expected).abs() < 1.5, "row {brightest}");
        assert_eq!(picture.db(15, brightest), None, "the clip has ended");
        assert_eq!(picture.db(5, 0), None, "above half the sampling rate");
    }

    #[test]
    fn a_tone_is_found_on_the_linear_scale() {
        check_tone(1000.0, FrequencyScale::Linear);
    }
    #[test]
    fn a_tone_is_found_on_the_mel_scale() {
        check_tone(1000.0, FrequencyScale::Mel);
    }
    #[test]
    fn a_low_tone_is_found_on_the_mel_scale() {
        check_tone(200.0, FrequencyScale::Mel);
    }
    #[test]
    fn a_tone_is_equally_loud_at_every_rate() {
        let scale = FrequencyScale::Linear;
        let view = View { seconds: 0.5, highest_hz: 8000.0, scale, columns: 5, rows: 200 };
        let level = |rate: u32| analyse(&tone(1000.0, rate, 0.5), &view).loudest_db();
        assert!((level(8_000) - level(16_000)).abs() < 0.5, "{} {}", level(8_000), level(16_000));
    }
    #[test]
    fn mean_power_of_equal_bins_is_theirs() {
        let sums = cumulative([2.0; 6].into_iter());
        for (low, high) in [(0.0, 0.1), (1.2, 4.9), (4.9, 5.0)] {
            assert_eq!(mean_power(&sums, low, high).map(|it| (1e9 * it).round()), Some(2e9));
        }
    }
}
