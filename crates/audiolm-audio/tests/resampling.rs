//! What resampling keeps and what it removes.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_audio::{AudioError, Clip, decibels};

/// Level of a tone that should pass: within 0.1 dB.
const LEVEL_DB: f32 = 0.1;
/// Level of what should not pass, relative to full scale.
const REJECTED_DB: f32 = -80.0;

/// A second of a sine with an amplitude of 1.
fn sine(frequency_hz: f64, rate_hz: u32) -> Clip {
    let step = frequency_hz * std::f64::consts::TAU / f64::from(rate_hz);
    let samples = (0..rate_hz).map(|n| (f64::from(n) * step).sin() as f32).collect();
    Clip { samples, sample_rate_hz: rate_hz }
}

/// A tone comes out as the same tone at the new rate: same level, same phase, nothing added.
#[track_caller]
fn check_kept(frequency_hz: f64, from_hz: u32, to_hz: u32) {
    let resampled = sine(frequency_hz, from_hz).resampled(to_hz).unwrap();
    let expected = sine(frequency_hz, to_hz);
    assert_eq!(resampled.samples.len(), expected.samples.len());
    // The ends, where the tone starts and stops, ring.
    let (found, expected) = (resampled.excerpt(0.2, 0.6), expected.excerpt(0.2, 0.6));
    let level_db = decibels(found.rms() / expected.rms());
    assert!(level_db.abs() < LEVEL_DB, "the level changes by {level_db} dB");
    let residue = found.samples.iter().zip(&expected.samples).map(|(a, b)| a - b).collect();
    let residue = Clip { samples: residue, sample_rate_hz: to_hz };
    let residue_db = decibels(residue.rms());
    assert!(residue_db < -60.0, "something is added or delayed: {residue_db} dB");
}

/// A tone above the new Nyquist frequency vanishes, rather than coming back as another one.
#[track_caller]
fn check_removed(frequency_hz: f64, from_hz: u32, to_hz: u32) {
    let resampled = sine(frequency_hz, from_hz).resampled(to_hz).unwrap().excerpt(0.2, 0.6);
    let level_db = decibels(resampled.rms());
    assert!(level_db < REJECTED_DB, "{level_db} dB of the tone come back");
}

#[test]
fn tones_are_kept_going_down() {
    check_kept(440.0, 24_000, 16_000);
    check_kept(7_000.0, 44_100, 16_000);
    check_kept(7_500.0, 48_000, 16_000);
}
#[test]
fn tones_are_kept_going_up() {
    check_kept(440.0, 16_000, 24_000);
    check_kept(3_700.0, 8_000, 16_000);
    check_kept(7_500.0, 16_000, 44_100);
}
#[test]
fn an_odd_rate_delays_nothing() {
    check_kept(440.0, 22_050, 16_000);
    check_kept(440.0, 11_025, 16_001);
}
#[test]
fn what_is_above_the_new_nyquist_frequency_is_removed() {
    check_removed(8_100.0, 24_000, 16_000);
    check_removed(10_000.0, 44_100, 16_000);
    check_removed(23_000.0, 48_000, 16_000);
    check_removed(12_100.0, 48_000, 24_000);
}

#[test]
fn the_same_rate_changes_nothing() {
    let clip = sine(440.0, 16_000);
    assert_eq!(clip.resampled(16_000).unwrap(), clip);
}
#[test]
fn an_implausible_rate_is_refused() {
    let error = sine(440.0, 16_000).resampled(0).unwrap_err();
    assert!(matches!(error, AudioError::ResampleRates { from_hz: 16_000, to_hz: 0 }), "{error}");
}
