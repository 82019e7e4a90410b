//! Recordings as if others had made them, so that an encoder does not learn its speakers by heart.

use std::f64::consts::PI;

use audiolm_nn::Generator;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Taps of the filter that narrows a band.
const TAPS: usize = 63;
/// The step of 16-bit samples: what is filtered away leaves no less noise than that.
const QUANTUM: f32 = 1.0 / 32_768.0;
/// How much quieter than the recording noise is, in decibels.
const NOISE_DB: [f64; 2] = [10.0, 40.0];

/// How much recordings are varied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceSettings {
    /// Recordings are played up to so much faster or slower, which also moves voices up and down: 0.25
    /// is from 0.8 to 1.25.
    pub speed: f64,
    /// Share of the recordings that lose what is above `narrow_hz`, as over a telephone.
    pub narrow_share: f64,
    /// Where they are cut.
    pub narrow_hz: f64,
    /// Share of the recordings that white noise is added to.
    pub noise_share: f64,
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self { speed: 0.25, narrow_share: 0.5, narrow_hz: 4000.0, noise_share: 0.5 }
    }
}

impl VoiceSettings {
    /// The greatest speed.
    pub(super) fn fastest(&self) -> f64 {
        1.0 + self.speed
    }

    /// A recording at 16 kHz as if another had made it.
    pub(super) fn vary(&self, wave: Vec<f32>, rng: &mut Generator) -> Vec<f32> {
        let octaves = self.fastest().log2() * rng.random_range(-1.0..=1.0);
        let mut wave = played(&wave, octaves.exp2());
        if rng.random_bool(self.narrow_share) {
            wave = narrowed(&wave, self.narrow_hz / 16_000.0);
            wave.iter_mut().for_each(|it| *it += QUANTUM * rng.random_range(-0.5..0.5));
        }
        if rng.random_bool(self.noise_share) {
            let power = wave.iter().map(|it| it * it).sum::<f32>() / wave.len().max(1) as f32;
            let quieter = 10f64.powf(-rng.random_range(NOISE_DB[0]..NOISE_DB[1]) / 20.0) as f32;
            // Uniform noise of this width has a variance of 1.
            let width = 3f32.sqrt() * power.sqrt() * quieter;
            wave.iter_mut().for_each(|it| *it += width * rng.random_range(-1.0..1.0f32));
        }
        wave
    }
}

/// A wave played so many times as fast, by cubic interpolation (Catmull and Rom 1974).
fn played(wave: &[f32], speed: f64) -> Vec<f32> {
    let n = (wave.len() as f64 / speed) as usize;
    let sample = |at: isize| wave[at.clamp(0, wave.len() as isize - 1) as usize];
    let at = |index: usize| {
        let place = index as f64 * speed;
        let (whole, t) = (place as isize, place.fract() as f32);
        let [a, b, c, d] = [-1, 0, 1, 2].map(|it| sample(whole + it));
        let slope = [0.5 * (c - a), 0.5 * (d - b)];
        let square = 3.0 * (c - b) - 2.0 * slope[0] - slope[1];
        let cube = 2.0 * (b - c) + slope[0] + slope[1];
        b + t * (slope[0] + t * (square + t * cube))
    };
    (0..n).map(at).collect()
}

/// What of a wave is below a frequency, given as a share of the sample rate: a sinc under Blackman's
/// window.
fn narrowed(wave: &[f32], cut: f64) -> Vec<f32> {
    let half = TAPS as isize / 2;
    let tap = |it: isize| {
        let turn = 2.0 * PI * it as f64 / (TAPS - 1) as f64;
        let window = 0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
        let sinc = match it {
            0 => 2.0 * cut,
            _ => (2.0 * PI * cut * it as f64).sin() / (PI * it as f64),
        };
        (sinc * window) as f32
    };
    let taps: Vec<f32> = (-half..=half).map(tap).collect();
    let silence = [0.0; TAPS / 2];
    let padded = [&silence, wave, &silence].concat();
    let of = |it: &[f32]| it.iter().zip(&taps).map(|(sample, tap)| sample * tap).sum();
    padded.windows(TAPS).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;

    fn tone(hertz: f64, n: usize) -> Vec<f32> {
        (0..n).map(|it| (2.0 * PI * hertz * it as f64 / 16_000.0).sin() as f32).collect()
    }

    #[track_caller]
    fn check_near(found: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(found.len(), expected.len());
        let inner = 100..found.len() - 100;
        for (found, expected) in found[inner.clone()].iter().zip(&expected[inner]) {
            assert!((found - expected).abs() < tolerance, "{found}, {expected}");
        }
    }

    #[test]
    fn a_tone_played_faster_is_a_higher_one() {
        check_near(&played(&tone(400.0, 2000), 1.25), &tone(500.0, 1600), 2e-3);
        check_near(&played(&tone(400.0, 2000), 1.0), &tone(400.0, 2000), 1e-6);
    }

    #[test]
    fn a_narrow_band_keeps_what_is_below_and_nothing_above() {
        check_near(&narrowed(&tone(1000.0, 2000), 0.25), &tone(1000.0, 2000), 1e-3);
        check_near(&narrowed(&tone(6000.0, 2000), 0.25), &[0.0; 2000], 1e-3);
    }

    #[test]
    fn the_same_draw_is_the_same_voice() {
        let settings = VoiceSettings::default();
        let voice = |seed| settings.vary(tone(440.0, 4000), &mut generator(seed, "voices", 0));
        assert_eq!(voice(0), voice(0));
        assert_ne!(voice(0).len(), voice(1).len());
        assert!((0..20).all(|it| (3199..=5000).contains(&voice(it).len())));
    }
}
