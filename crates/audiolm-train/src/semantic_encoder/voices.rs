//! Recordings as if others had made them, so that an encoder does not learn its speakers by heart.

use std::f64::consts::PI;

use audiolm_nn::Generator;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Samples per second of what conformers hear.
const RATE_HZ: f64 = 16_000.0;
/// Taps of the filters.
const TAPS: usize = 63;
/// Cosines over frequency that an equaliser is made of.
const EQUALISER_WAVES: usize = 3;
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
    /// Deviation of the level of a frequency from what it was, in decibels, as other microphones and
    /// rooms would have it.
    pub equaliser_db: f64,
    /// Seconds of silence before and after, at most.
    pub silence_seconds: f64,
    /// Share of the recordings that lose what is above `narrow_hz`, as over a telephone.
    pub narrow_share: f64,
    /// Where they are cut.
    pub narrow_hz: f64,
    /// Share of the recordings that white noise is added to.
    pub noise_share: f64,
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self {
            speed: 0.25,
            equaliser_db: 4.0,
            silence_seconds: 0.15,
            narrow_share: 0.5,
            narrow_hz: 4000.0,
            noise_share: 0.5,
        }
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
        let wave = played(&wave, octaves.exp2());
        let mut wave = self.between_silences(filtered(&wave, &self.equaliser(rng)), rng);
        if rng.random_bool(self.narrow_share) {
            wave = filtered(&wave, &low_pass(self.narrow_hz / RATE_HZ));
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

    /// A filter whose logarithm is a sum of slow cosines over frequency, which is spread as mels are.
    fn equaliser(&self, rng: &mut Generator) -> [f32; TAPS] {
        // Uniform numbers of this width have a variance of 1.
        let width = 3f64.sqrt();
        let weights = [(); EQUALISER_WAVES].map(|()| rng.random_range(-width..=width));
        let deviation = self.equaliser_db * (2.0 / EQUALISER_WAVES as f64).sqrt();
        let gain = |share: f64| {
            let mels = mel(share) / mel(1.0);
            let waves = weights.iter().zip(1..);
            let level: f64 = waves.map(|(weight, n)| weight * (PI * mels * n as f64).cos()).sum();
            10f64.powf(deviation * level / 20.0)
        };
        let gains: [f64; TAPS] = std::array::from_fn(|it| gain((it as f64 + 0.5) / TAPS as f64));
        taps(|tap| {
            let of = |(gain, it): (&f64, usize)| {
                gain * (PI * tap as f64 * (it as f64 + 0.5) / TAPS as f64).cos()
            };
            gains.iter().zip(0..).map(of).sum::<f64>() / TAPS as f64
        })
    }

    fn between_silences(&self, wave: Vec<f32>, rng: &mut Generator) -> Vec<f32> {
        let [before, after] = [(); 2].map(|()| {
            let seconds = self.silence_seconds * rng.random_range(0.0..=1.0);
            vec![0.0; (seconds * RATE_HZ) as usize]
        });
        [before, wave, after].concat()
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

/// A share of half the sample rate on the scale of mels.
fn mel(share: f64) -> f64 {
    (share * RATE_HZ / 2.0 / 700.0).ln_1p()
}

/// A filter that lets through what is below a frequency, given as a share of the sample rate: a sinc
/// under Blackman's window.
fn low_pass(cut: f64) -> [f32; TAPS] {
    taps(|it| match it {
        0 => 2.0 * cut,
        _ => (2.0 * PI * cut * it as f64).sin() / (PI * it as f64),
    })
}

/// A filter whose taps, counted from the middle, are these under Blackman's window.
fn taps(tap: impl Fn(isize) -> f64) -> [f32; TAPS] {
    std::array::from_fn(|index| {
        let turn = 2.0 * PI * index as f64 / (TAPS - 1) as f64;
        let window = 0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
        (tap(index as isize - TAPS as isize / 2) * window) as f32
    })
}

fn filtered(wave: &[f32], taps: &[f32; TAPS]) -> Vec<f32> {
    let silence = [0.0; TAPS / 2];
    let padded = [&silence, wave, &silence].concat();
    let of = |it: &[f32]| it.iter().zip(taps).map(|(sample, tap)| sample * tap).sum();
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
        let narrowed = |hertz| filtered(&tone(hertz, 2000), &low_pass(0.25));
        check_near(&narrowed(1000.0), &tone(1000.0, 2000), 1e-3);
        check_near(&narrowed(6000.0), &[0.0; 2000], 1e-3);
    }

    /// Decibels by which an equaliser makes a tone louder.
    fn gain_db(taps: &[f32; TAPS], hertz: f64) -> f64 {
        let power = |it: &[f32]| it[100..1700].iter().map(|it| f64::from(it * it)).sum::<f64>();
        let tone = tone(hertz, 2000);
        10.0 * (power(&filtered(&tone, taps)) / power(&tone)).log10()
    }

    #[test]
    fn equalisers_deviate_as_they_should() {
        let flat = VoiceSettings { equaliser_db: 0.0, ..VoiceSettings::default() };
        let taps = flat.equaliser(&mut generator(0, "voices", 0));
        check_near(&filtered(&tone(440.0, 2000), &taps), &tone(440.0, 2000), 1e-5);

        let settings = VoiceSettings::default();
        let gains = (0..200).flat_map(|seed| {
            let taps = settings.equaliser(&mut generator(seed, "voices", 0));
            [300.0, 1000.0, 2500.0, 6000.0].map(|it| gain_db(&taps, it).powi(2))
        });
        let deviation = (gains.sum::<f64>() / 800.0).sqrt();
        assert!((deviation - settings.equaliser_db).abs() < 0.5, "{deviation}");
    }

    #[test]
    fn silences_are_no_longer_than_they_may_be() {
        let settings = VoiceSettings { silence_seconds: 0.1, ..VoiceSettings::default() };
        let lengths: Vec<_> = (0..50)
            .map(|it| settings.between_silences(vec![1.0; 100], &mut generator(it, "voices", 0)))
            .inspect(|it| assert_eq!(it.iter().sum::<f32>(), 100.0))
            .map(|it| it.len())
            .collect();
        assert!(lengths.iter().all(|it| (100..=100 + 2 * 1600).contains(it)));
        assert!(lengths.iter().max() > Some(&2000));
    }

    #[test]
    fn the_same_draw_is_the_same_voice() {
        let settings = VoiceSettings::default();
        let voice = |seed| settings.vary(tone(440.0, 4000), &mut generator(seed, "voices", 0));
        assert_eq!(voice(0), voice(0));
        assert_ne!(voice(0).len(), voice(1).len());
        assert!((0..20).all(|it| (3199..=5000 + 4800).contains(&voice(it).len())));
    }
}
