//! How loud a recording is.

use crate::{Clip, Level};

impl Clip {
    /// Root mean square of the samples; 0 for an empty clip.
    pub fn rms(&self) -> f32 {
        self.level().rms()
    }

    /// The largest absolute sample; 0 for an empty clip.
    pub fn peak(&self) -> f32 {
        self.level().peak()
    }

    pub(crate) fn level(&self) -> Level {
        let mut level = Level::default();
        level.push(&self.samples);
        level
    }
}

/// An amplitude in decibels relative to full scale; silence is minus infinity.
pub fn decibels(amplitude: f32) -> f32 {
    20.0 * amplitude.log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(samples: &[f32]) -> Clip {
        Clip { samples: samples.to_vec(), sample_rate_hz: 16_000 }
    }

    #[test]
    fn a_square_wave_is_as_loud_as_its_peak() {
        let square = clip(&[0.5, -0.5, 0.5, -0.5]);
        assert_eq!((square.rms(), square.peak()), (0.5, 0.5));
        assert!((decibels(square.rms()) + 6.0206).abs() < 1e-3);
    }

    #[test]
    fn nothing_is_silent() {
        assert_eq!((clip(&[]).rms(), clip(&[]).peak()), (0.0, 0.0));
        assert_eq!(decibels(0.0), f32::NEG_INFINITY);
    }
}
