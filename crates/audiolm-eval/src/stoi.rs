//! Short-time objective intelligibility (Taal et al. 2011), number for number as pystoi 0.4.1.

mod bands;
mod resample;

use bands::{third_octaves, window};
use resample::resample;

use crate::pair::{check_pair, check_rate, check_sounds};
use crate::{EvalError, Side};

/// The rate STOI works at.
const RATE_HZ: u32 = 10_000;
/// Samples of a frame: 25.6 ms.
const FRAME: usize = 256;
/// Samples from one frame to the next: half a frame.
const HOP: usize = FRAME / 2;
/// Frames of a segment, over which envelopes are correlated: 384 ms. N in the paper.
const SEGMENT: usize = 30;
/// A frame this much weaker than the strongest one counts as silent, in decibels.
const DYNAMIC_RANGE_DB: f64 = 40.0;
/// The worst ratio of signal to distortion a band may have, in decibels. β in the paper.
const CLIP_DB: f64 = -15.0;

/// How intelligible `degraded` is, given the clean `reference`: about 0 for noise, 1 for a copy.
///
/// Both are resampled to 10 kHz, frames in which the reference is silent are dropped, and the
/// envelopes of 15 third-octave bands are correlated over segments of 384 ms.
pub fn stoi(reference: &[f32], degraded: &[f32], sample_rate_hz: u32) -> Result<f64, EvalError> {
    check_rate(sample_rate_hz)?;
    check_pair(reference, degraded)?;
    check_sounds(reference, Side::Reference)?;
    let clean = resample(reference, sample_rate_hz, RATE_HZ);
    let heard = resample(degraded, sample_rate_hz, RATE_HZ);
    let kept = sounding_frames(&clean);
    let clean = third_octaves(&join(&clean, &kept));
    let heard = third_octaves(&join(&heard, &kept));
    let n_frames = clean[0].len();
    if n_frames < SEGMENT {
        return Err(EvalError::TooShort { found: n_frames, needed: SEGMENT });
    }
    let n_segments = n_frames - SEGMENT + 1;
    let total: f64 =
        clean.iter().zip(&heard).map(|(clean, heard)| sum_of_segments(clean, heard)).sum();
    Ok(total / (n_segments * clean.len()) as f64)
}

/// Where frames start. As in pystoi, one that would end with the last sample is left out.
fn frame_starts(n_samples: usize) -> impl Iterator<Item = usize> {
    (0..n_samples.saturating_sub(FRAME)).step_by(HOP)
}

/// The starts of the frames within [`DYNAMIC_RANGE_DB`] of the strongest.
fn sounding_frames(clean: &[f64]) -> Vec<usize> {
    let window = window();
    let level_db = |start: usize| {
        let frame = &clean[start..start + FRAME];
        let energy: f64 = frame.iter().zip(&window).map(|(sample, w)| (sample * w).powi(2)).sum();
        20.0 * (energy.sqrt() + f64::EPSILON).log10()
    };
    let levels: Vec<f64> = frame_starts(clean.len()).map(level_db).collect();
    let loudest = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sounds = |level: f64| loudest - DYNAMIC_RANGE_DB - level < 0.0;
    let starts = frame_starts(clean.len()).zip(&levels);
    starts.filter(|&(_, &level)| sounds(level)).map(|(start, _)| start).collect()
}

/// The windowed frames at `starts`, added up again at a distance of one hop.
fn join(wave: &[f64], starts: &[usize]) -> Vec<f64> {
    if starts.is_empty() {
        return Vec::new();
    }
    let window = window();
    let mut joined = vec![0.0; (starts.len() - 1) * HOP + FRAME];
    for (frame_idx, &start) in starts.iter().enumerate() {
        for (offset, w) in window.iter().enumerate() {
            joined[frame_idx * HOP + offset] += w * wave[start + offset];
        }
    }
    joined
}

/// The sum of the correlations of all segments of one band.
fn sum_of_segments(clean: &[f64], heard: &[f64]) -> f64 {
    clean.windows(SEGMENT).zip(heard.windows(SEGMENT)).map(|(x, y)| correlation(x, y)).sum()
}

/// The correlation of one segment's envelopes, the degraded one scaled to the clean one's energy
/// and clipped so that a single bad band cannot outweigh the rest (equations 3 to 5).
fn correlation(clean: &[f64], heard: &[f64]) -> f64 {
    let ceiling = 1.0 + 10f64.powf(-CLIP_DB / 20.0);
    let scale = norm(clean) / (norm(heard) + f64::EPSILON);
    let clipped: Vec<f64> =
        heard.iter().zip(clean).map(|(y, x)| (y * scale).min(x * ceiling)).collect();
    let (clean, heard) = (centred(clean), centred(&clipped));
    let product: f64 = clean.iter().zip(&heard).map(|(x, y)| x * y).sum();
    product / ((norm(&clean) + f64::EPSILON) * (norm(&heard) + f64::EPSILON))
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a period of silence after every half of sound, so that there is something to drop.
    fn buzz(n_samples: usize) -> Vec<f32> {
        let sample = |i: usize| (i as f32 * 0.3).sin() * (i as f32 * 0.003).sin().max(0.0);
        (0..n_samples).map(sample).collect()
    }

    #[track_caller]
    fn check_error(reference: &[f32], degraded: &[f32], rate: u32, expected: EvalError) {
        assert_eq!(stoi(reference, degraded, rate), Err(expected));
    }

    #[test]
    fn a_copy_is_perfectly_intelligible() {
        let clip = buzz(16_000);
        assert!((stoi(&clip, &clip, 16_000).unwrap() - 1.0).abs() < 1e-9);
    }
    #[test]
    fn silence_is_not_intelligible() {
        assert_eq!(stoi(&buzz(16_000), &vec![0.0; 16_000], 16_000), Ok(0.0));
    }
    #[test]
    fn names_a_clip_that_is_too_short() {
        let clip = buzz(2_000);
        check_error(&clip, &clip, 10_000, EvalError::TooShort { found: 7, needed: 30 });
    }
    #[test]
    fn names_a_clip_shorter_than_a_frame() {
        let clip = buzz(20);
        check_error(&clip, &clip, 10_000, EvalError::TooShort { found: 0, needed: 30 });
    }
    #[test]
    fn names_a_silent_reference() {
        let silence = vec![0.0; 16_000];
        let expected = EvalError::Silent { side: Side::Reference };
        check_error(&silence, &buzz(16_000), 16_000, expected);
    }
    #[test]
    fn names_the_two_lengths() {
        let expected = EvalError::LengthMismatch { reference: 100, degraded: 90 };
        check_error(&buzz(100), &buzz(90), 16_000, expected);
    }
    #[test]
    fn names_a_rate_of_zero() {
        check_error(&buzz(100), &buzz(100), 0, EvalError::ZeroSampleRate);
    }
}
