//! What every comparison of two recordings asks of them.

use crate::{EvalError, Side};

/// Both recordings, cut to the length of the shorter one.
///
/// Codecs pad the last frame, so a resynthesis is often a little longer than its original.
pub fn cut_to_shorter<'a>(reference: &'a [f32], degraded: &'a [f32]) -> (&'a [f32], &'a [f32]) {
    let n = reference.len().min(degraded.len());
    (&reference[..n], &degraded[..n])
}

/// Demands two recordings of one length, finite, and not empty.
pub(crate) fn check_pair(reference: &[f32], degraded: &[f32]) -> Result<(), EvalError> {
    if reference.len() != degraded.len() {
        return Err(EvalError::LengthMismatch {
            reference: reference.len(),
            degraded: degraded.len(),
        });
    }
    check_wave(reference, Side::Reference)?;
    check_wave(degraded, Side::Degraded)
}

/// Demands a recording that is finite and not empty.
pub(crate) fn check_wave(wave: &[f32], side: Side) -> Result<(), EvalError> {
    if wave.is_empty() {
        return Err(EvalError::NoSamples);
    }
    match wave.iter().position(|sample| !sample.is_finite()) {
        Some(sample_idx) => Err(EvalError::NotFinite { side, sample_idx, value: wave[sample_idx] }),
        None => Ok(()),
    }
}

/// Demands a recording that is not all zeros.
pub(crate) fn check_sounds(wave: &[f32], side: Side) -> Result<(), EvalError> {
    if wave.iter().all(|&sample| sample == 0.0) { Err(EvalError::Silent { side }) } else { Ok(()) }
}

/// Demands a sampling rate above zero.
pub(crate) fn check_rate(sample_rate_hz: u32) -> Result<(), EvalError> {
    if sample_rate_hz == 0 { Err(EvalError::ZeroSampleRate) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_recording_is_cut() {
        assert_eq!(cut_to_shorter(&[1.0, 2.0, 3.0], &[4.0]), (&[1.0][..], &[4.0][..]));
    }
    #[test]
    fn names_the_first_sample_that_is_no_number() {
        let err = check_pair(&[0.0, 1.0], &[0.0, f32::INFINITY]).unwrap_err();
        let expected =
            EvalError::NotFinite { side: Side::Degraded, sample_idx: 1, value: f32::INFINITY };
        assert_eq!(err, expected);
    }
}
