//! The signals of `make_goldens.py`, by the same formulas.

use std::f64::consts::TAU;

use super::noise::noise;

/// Harmonics under two formants, in syllables, with bursts of noise and a silent pause in the middle.
pub fn speech(rate: u32, seconds: f64, voice: u32) -> Vec<f32> {
    let n_samples = (f64::from(rate) * seconds) as usize;
    let hiss = noise(n_samples, 1 + voice);
    let sample = |i: usize| {
        let t = i as f64 / f64::from(rate);
        if t > 0.4 * seconds && t < 0.5 * seconds {
            0.0
        } else {
            voiced(t, f64::from(voice), hiss[i])
        }
    };
    (0..n_samples).map(|i| sample(i) as f32).collect()
}

fn voiced(t: f64, voice: f64, hiss: f64) -> f64 {
    let turn = TAU * t;
    let syllable = ((2.1 + 0.3 * voice) * turn).sin().max(0.0).powi(2);
    let pitch = 100.0 + 35.0 * voice;
    let phase = TAU * (pitch * t + 1.5 * (0.8 * turn).sin());
    let first = 500.0 + 120.0 * voice;
    let second = 1500.0 + 90.0 * voice + 200.0 * (0.7 * turn).sin();
    let harmonic = |h: f64| {
        let near_first = 1.0 / (1.0 + ((h * pitch - first) / 300.0).powi(2));
        let near_second = 0.5 / (1.0 + ((h * pitch - second) / 400.0).powi(2));
        (near_first + near_second) * (h * phase).sin()
    };
    let wave: f64 = (1..=20).map(|h| harmonic(f64::from(h))).sum();
    let burst = if (1.3 * turn).sin() > 0.8 { 0.3 } else { 0.002 } * hiss;
    0.1 * (syllable * wave + burst)
}

/// What a bad channel makes of a clip.
///
/// # Panics
/// If `how` is none of the script's names.
pub fn degrade(clip: &[f32], how: &str) -> Vec<f32> {
    let x: Vec<f64> = clip.iter().map(|&sample| f64::from(sample)).collect();
    let before = |i: usize, lag: usize| if i < lag { 0.0 } else { x[i - lag] };
    let with_noise = |gain: f64, level: f64, seed: u32| -> Vec<f64> {
        x.iter().zip(noise(x.len(), seed)).map(|(x, noise)| gain * x + level * noise).collect()
    };
    let moving_mean = |i: usize| (0..12).map(|lag| before(i, lag) / 12.0).sum();
    let y: Vec<f64> = match how {
        "same" => x.clone(),
        "noisy" => with_noise(1.0, 0.03, 77),
        "drowned" => with_noise(1.0, 0.3, 78),
        "clipped" => x.iter().map(|sample| sample.clamp(-0.04, 0.04)).collect(),
        "muffled" => (0..x.len()).map(moving_mean).collect(),
        "echoing" => (0..x.len()).map(|i| x[i] + 0.6 * before(i, 900)).collect(),
        "quieter" => with_noise(0.1, 0.001, 79),
        other => panic!("no degradation is called {other}"),
    };
    y.iter().map(|&sample| sample as f32).collect()
}
