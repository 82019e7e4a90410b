//! The resampler of Octave's `resample`, which pystoi copies: a sinc under a Kaiser window.
//!
//! It is here, and not in the crate that reads audio, because a score is comparable only if the
//! filter is the same one.

use std::f64::consts::PI;

/// What the filter leaves of the stop band, in decibels below the pass band.
const REJECTION_DB: f64 = 60.0;

/// Resamples `wave`, as if it were surrounded by silence, to `ceil(samples * to_hz / from_hz)`.
pub(super) fn resample(wave: &[f32], from_hz: u32, to_hz: u32) -> Vec<f64> {
    if from_hz == to_hz {
        return wave.iter().map(|&sample| f64::from(sample)).collect();
    }
    let common = greatest_common_divisor(from_hz as usize, to_hz as usize);
    let (up, down) = (to_hz as usize / common, from_hz as usize / common);
    let filter = low_pass(up, down);
    let centre = filter.len() / 2;
    let n_out = (wave.len() * up).div_ceil(down);
    let output = |out_idx: usize| {
        // The time of the output sample and the reach of the filter, on the common grid.
        let now = out_idx * down;
        let first = now.saturating_sub(centre).div_ceil(up);
        let last = ((now + centre) / up).min(wave.len() - 1);
        let term = |i: usize| filter[now + centre - i * up] * f64::from(wave[i]);
        (first..=last).map(term).sum()
    };
    (0..n_out).map(output).collect()
}

/// The filter at `up` times the input's rate, of odd length, with a gain of `up`.
fn low_pass(up: usize, down: usize) -> Vec<f64> {
    let cutoff = 1.0 / (2 * up.max(down)) as f64;
    let roll_off = cutoff / 10.0;
    let half = ((REJECTION_DB - 8.0) / (28.714 * roll_off)).ceil() as i64;
    let beta = 0.1102 * (REJECTION_DB - 8.7);
    let tap = |t: i64| {
        let inside = (1.0 - (t as f64 / half as f64).powi(2)).max(0.0);
        sinc(2.0 * cutoff * t as f64) * bessel_i0(beta * inside.sqrt())
    };
    let taps: Vec<f64> = (-half..=half).map(tap).collect();
    let gain = up as f64 / taps.iter().sum::<f64>();
    taps.iter().map(|tap| tap * gain).collect()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The modified Bessel function of order zero, by its power series: `Σ ((x/2)^k / k!)²`.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= (x / (2.0 * k)).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone far below both cut-offs, away from the ends.
    #[track_caller]
    fn check_keeps_a_tone(from_hz: u32, to_hz: u32) {
        let tone = |i: usize, rate: u32| (2.0 * PI * 440.0 * i as f64 / f64::from(rate)).sin();
        let wave: Vec<f32> = (0..from_hz as usize / 10).map(|i| tone(i, from_hz) as f32).collect();
        let resampled = resample(&wave, from_hz, to_hz);
        assert_eq!(resampled.len(), to_hz as usize / 10);
        let first = to_hz as usize / 40;
        for (i, found) in resampled.iter().enumerate().skip(first).take(first) {
            assert!((found - tone(i, to_hz)).abs() < 2e-3, "sample {i}");
        }
    }

    #[test]
    fn keeps_a_tone_when_the_rate_falls() {
        check_keeps_a_tone(16_000, 10_000);
    }
    #[test]
    fn keeps_a_tone_when_the_rate_rises() {
        check_keeps_a_tone(8_000, 10_000);
    }
    #[test]
    fn keeps_a_tone_between_awkward_rates() {
        check_keeps_a_tone(22_050, 10_000);
    }
    #[test]
    fn keeps_every_sample_at_the_same_rate() {
        assert_eq!(resample(&[0.25, -0.5], 10_000, 10_000), [0.25, -0.5]);
    }
}
