//! A recording as the models hear it.

use std::ops::Range;

use audiolm_audio::Clip;

use crate::PipelineError;

/// The shortest recording that anything can be made of, in seconds.
pub const MIN_SECONDS: f64 = 0.2;
/// The most that can be asked for at once, in seconds: a day.
pub const MAX_SECONDS: f64 = 86_400.0;

/// What is kept beyond the end while resampling, so that the end is not taken for a jump to
/// silence.
const MARGIN_SECONDS: f64 = 0.1;

/// The rhythm of the models.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) sample_rate_hz: u32,
    pub(crate) hop_samples: usize,
}

/// A recording at the rate of the models, with its own loudness.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// Its samples, at most as many as were asked for.
    pub(crate) clip: Clip,
    /// What brings them to the loudness of the models.
    gain: f32,
}

/// What is left of a recording without a gap in it; both as loud as they are together.
pub(crate) struct Sides {
    pub(crate) left: Heard,
    pub(crate) right: Heard,
}

impl Rate {
    pub(crate) fn frames_per_second(&self) -> f64 {
        f64::from(self.sample_rate_hz) / self.hop_samples as f64
    }

    /// Frames in a length that someone asked for: the nearest number, at least one.
    pub(crate) fn frames(&self, seconds: f64) -> Result<usize, PipelineError> {
        if !(seconds > 0.0 && seconds <= MAX_SECONDS) {
            return Err(PipelineError::Seconds { found: seconds });
        }
        Ok((seconds * self.frames_per_second()).round().max(1.0) as usize)
    }

    /// A clip of samples that the models made.
    pub(crate) fn clip(&self, samples: Vec<f32>) -> Clip {
        Clip { samples, sample_rate_hz: self.sample_rate_hz }
    }
}

/// A wave as loud as the recording that was multiplied with `gain`.
pub(crate) fn unlevelled(wave: Vec<f32>, gain: f32) -> Vec<f32> {
    wave.into_iter().map(|it| (it / gain).clamp(-1.0, 1.0)).collect()
}

impl Heard {
    /// The first `seconds` of a recording.
    pub(crate) fn new(recording: &Clip, seconds: f64, rate: Rate) -> Result<Self, PipelineError> {
        if let Some(position) = recording.first_implausible() {
            let value = recording.samples[position];
            return Err(PipelineError::ImplausibleSample { position, value });
        }
        if seconds.is_nan() || seconds < MIN_SECONDS {
            return Err(PipelineError::PromptSeconds { found: seconds });
        }
        let seconds = seconds.min(recording.seconds());
        if seconds < MIN_SECONDS {
            return Err(PipelineError::TooShort { seconds });
        }
        let start = recording.excerpt(0.0, seconds + MARGIN_SECONDS);
        let clip = start.resampled(rate.sample_rate_hz)?.excerpt(0.0, seconds);
        let gain = clip.reference_gain();
        Ok(Self { clip, gain })
    }

    /// Its whole frames only.
    pub(crate) fn whole_frames(mut self, rate: Rate) -> Self {
        let rest = self.clip.samples.len() % rate.hop_samples;
        self.clip.samples.truncate(self.clip.samples.len() - rest);
        self
    }

    /// The same at its own loudness.
    pub(crate) fn at_own_level(self) -> Self {
        Self { gain: 1.0, ..self }
    }

    /// The wave for the models.
    pub(crate) fn levelled(&self) -> Vec<f32> {
        self.clip.samples.iter().map(|it| it * self.gain).collect()
    }

    /// What the models made of it, as loud as the recording.
    pub(crate) fn unlevelled(&self, wave: Vec<f32>) -> Vec<f32> {
        unlevelled(wave, self.gain)
    }

    /// What is left without some of its samples.
    pub(crate) fn sides(&self, gap: Range<usize>) -> Result<Sides, PipelineError> {
        let Clip { samples, sample_rate_hz } = &self.clip;
        let clip = |samples: Vec<f32>| Clip { samples, sample_rate_hz: *sample_rate_hz };
        let (left, right) = (&samples[..gap.start], &samples[gap.end..]);
        let both = clip([left, right].concat());
        let seconds = both.seconds();
        if seconds < MIN_SECONDS {
            return Err(PipelineError::NothingLeft { seconds });
        }
        let gain = both.reference_gain();
        let side = |samples: &[f32]| Self { clip: clip(samples.to_vec()), gain };
        Ok(Sides { left: side(left), right: side(right) })
    }

    /// What [`levelled`](Self::levelled) multiplies samples with.
    pub(crate) fn gain(&self) -> f32 {
        self.gain
    }
}
