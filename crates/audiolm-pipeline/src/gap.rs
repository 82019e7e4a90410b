//! What of a recording is to be made anew.

use std::ops::Range;

use audiolm_audio::Clip;

use crate::PipelineError;
use crate::heard::Rate;

/// A gap in a recording, in seconds from its start. It is widened to whole frames, and may be as
/// wide as the recording but for [`MIN_SECONDS`](crate::MIN_SECONDS), and as narrow as nothing, where something is
/// put between two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

impl Gap {
    /// The frames of a recording that the gap touches; of a gap of nothing, the nearest start of a
    /// frame.
    pub(crate) fn frames(&self, seconds: f64, rate: Rate) -> Result<Range<usize>, PipelineError> {
        let Self { from, to } = *self;
        // A nanosecond is less than a sample, and more than rounding.
        if !(0.0 <= from && from <= to && to <= seconds + 1e-9) {
            return Err(PipelineError::Gap { from, to, seconds });
        }
        let frames = |seconds: f64| seconds * rate.frames_per_second();
        let (start, end) = match from < to {
            true => ((frames(from) + NEARLY).floor(), (frames(to) - NEARLY).ceil()),
            false => (frames(from).round(), frames(from).round()),
        };
        let n_frames = (frames(seconds) + NEARLY) as usize;
        let start = (start as usize).min(n_frames);
        Ok(start..(end as usize).clamp(start, n_frames))
    }

    /// The samples of these frames, and of the rest that is no whole frame as far as the gap reaches.
    pub(crate) fn samples(&self, frames: &Range<usize>, clip: &Clip, rate: Rate) -> Range<usize> {
        let n_samples = clip.samples.len();
        let [start, end] = [frames.start, frames.end].map(|it| it * rate.hop_samples);
        let to = (self.to * f64::from(rate.sample_rate_hz)).round() as usize;
        let reaches_rest = end + rate.hop_samples > n_samples && !frames.is_empty();
        start..if reaches_rest { to.clamp(end, n_samples) } else { end }
    }
}

/// Frames that are so near to a whole number are one: 0.14 s are 7 frames of 20 ms.
const NEARLY: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { sample_rate_hz: 16_000, hop_samples: 320 };

    #[track_caller]
    fn check(from: f64, to: f64, expected: Option<Range<usize>>) {
        assert_eq!(Gap { from, to }.frames(1.01, RATE).ok(), expected);
    }

    #[test]
    fn gaps_are_widened_to_whole_frames() {
        check(0.14, 0.28, Some(7..14));
        check(0.15, 0.27, Some(7..14));
        check(0.1, 0.1, Some(5..5));
        check(0.109, 0.109, Some(5..5));
    }

    #[test]
    fn gaps_may_touch_the_ends() {
        check(0.0, 0.5, Some(0..25));
        check(0.5, 1.01, Some(25..50));
        check(1.01, 1.01, Some(50..50));
    }

    #[test]
    fn a_rest_belongs_to_a_gap_that_reaches_it() {
        let clip = Clip { samples: vec![0.0; 16_160], sample_rate_hz: 16_000 };
        let samples = |from, to| {
            let gap = Gap { from, to };
            gap.samples(&gap.frames(clip.seconds(), RATE).unwrap(), &clip, RATE)
        };
        assert_eq!(samples(0.5, 0.99), 8000..16_000);
        assert_eq!(samples(0.5, 1.005), 8000..16_080);
        assert_eq!(samples(0.5, 1.01), 8000..16_160);
        assert_eq!(samples(0.5, 0.7), 8000..11_200);
    }

    #[test]
    fn what_is_not_within_the_recording_is_no_gap() {
        check(-0.1, 0.5, None);
        check(0.6, 0.5, None);
        check(0.5, 1.2, None);
        check(f64::NAN, 0.5, None);
        check(0.5, f64::NAN, None);
    }
}
