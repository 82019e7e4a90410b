//! One loudness for everything that models hear.
//!
//! A recording is brought to [`REFERENCE_DBFS`] before a model is trained on it or makes tokens of
//! it, and what is made of the tokens is brought back, so that quiet and loud recordings work alike.

use crate::Clip;

/// The level, root mean square relative to full scale, at which the models hear a recording: that
/// of speech in ITU-T P.56 practice, with room for its peaks.
pub const REFERENCE_DBFS: f32 = -26.0;

/// What is quieter than this is left as it is: it is noise, and would only become loud noise.
pub const SILENCE_DBFS: f32 = -70.0;

impl Clip {
    /// The factor that brings the recording to [`REFERENCE_DBFS`], or as near as its peaks, which
    /// must stay within [-1, 1], allow.
    pub fn reference_gain(&self) -> f32 {
        self.level().reference_gain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decibels;

    fn amplitude(decibels: f32) -> f32 {
        10f32.powf(decibels / 20.0)
    }

    /// A square wave at a level, with a click of full scale on top.
    fn clip(dbfs: f32, click: Option<f32>) -> Clip {
        let level = amplitude(dbfs);
        let square = (0..16_000).map(|n| if n % 64 < 32 { level } else { -level });
        Clip { samples: click.into_iter().chain(square).collect(), sample_rate_hz: 16_000 }
    }

    #[track_caller]
    fn check(clip: Clip, expected: f32) {
        let found = decibels(clip.reference_gain());
        assert!((found - expected).abs() < 0.05, "{found} dB instead of {expected}");
    }

    #[test]
    fn quiet_and_loud_become_alike() {
        check(clip(-56.0, None), 30.0);
        check(clip(-6.0, None), -20.0);
    }

    #[test]
    fn silence_stays_silent() {
        check(clip(-71.0, None), 0.0);
        check(Clip { samples: vec![0.0; 10], sample_rate_hz: 16_000 }, 0.0);
    }

    #[test]
    fn peaks_stay_in_range() {
        check(clip(-50.0, Some(0.5)), 6.02);
    }
}
