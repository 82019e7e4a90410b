//! The scale-invariant ratio of signal to distortion.

use crate::pair::{check_pair, check_sounds};
use crate::{EvalError, Side};

/// SI-SDR in decibels (Le Roux et al. 2019, equation 5): the energy of the degraded recording
/// along the reference, over the energy of the rest. Means are not removed.
///
/// Infinite where the degraded recording is an exact multiple of the reference.
pub fn si_sdr(reference: &[f32], degraded: &[f32]) -> Result<f64, EvalError> {
    check_pair(reference, degraded)?;
    check_sounds(reference, Side::Reference)?;
    check_sounds(degraded, Side::Degraded)?;
    let scale = dot(degraded, reference) / dot(reference, reference);
    let (mut signal, mut distortion) = (0.0, 0.0);
    for (&clean, &heard) in reference.iter().zip(degraded) {
        let target = scale * f64::from(clean);
        signal += target.powi(2);
        distortion += (target - f64::from(heard)).powi(2);
    }
    Ok(10.0 * (signal / distortion).log10())
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reference: &[f32], degraded: &[f32], expected: Result<f64, EvalError>) {
        let found = si_sdr(reference, degraded).map(|db| (1e6 * db).round() / 1e6);
        assert_eq!(found, expected);
    }

    #[test]
    fn orthogonal_noise_of_an_eighth_is_18_db() {
        check(&[1.0, 1.0, 1.0, 1.0], &[1.125, 0.875, 1.125, 0.875], Ok(18.0618));
    }
    #[test]
    fn scale_does_not_matter() {
        check(&[1.0, 1.0, 1.0, 1.0], &[-2.25, -1.75, -2.25, -1.75], Ok(18.0618));
    }
    #[test]
    fn a_louder_copy_is_perfect() {
        check(&[0.5, -0.25], &[1.0, -0.5], Ok(f64::INFINITY));
    }
    #[test]
    fn names_the_two_lengths() {
        check(&[1.0; 3], &[1.0; 2], Err(EvalError::LengthMismatch { reference: 3, degraded: 2 }));
    }
    #[test]
    fn names_a_silent_reference() {
        check(&[0.0; 3], &[1.0; 3], Err(EvalError::Silent { side: Side::Reference }));
    }
    #[test]
    fn names_a_silent_output() {
        check(&[1.0; 3], &[0.0; 3], Err(EvalError::Silent { side: Side::Degraded }));
    }
    #[test]
    fn names_an_empty_pair() {
        check(&[], &[], Err(EvalError::NoSamples));
    }
}
