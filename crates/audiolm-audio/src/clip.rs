//! A mono recording in memory.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::{AudioBlocks, AudioError};

/// The lowest sample rate believed, in Hz.
pub const MIN_RATE_HZ: u32 = 1_000;
/// The highest sample rate believed, in Hz.
pub const MAX_RATE_HZ: u32 = 768_000;
/// The largest amplitude believed, 120 dB above full scale: what is beyond overflows in whatever is
/// computed from it.
pub const MAX_AMPLITUDE: f32 = 1e6;

/// A mono recording: amplitudes, nominally within [-1, 1], at a fixed rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// The amplitudes, one per sample.
    pub samples: Vec<f32>,
    /// Samples per second.
    pub sample_rate_hz: u32,
}

impl Clip {
    /// Reads a recording of any supported format, rate and channel count, mixed to mono by averaging.
    ///
    /// The format is told by the content of the file, whatever its name says. Integer samples are
    /// divided by 2^(bits - 1). The delay that an encoder adds is cut where the file states it (MP3
    /// with a LAME tag, Vorbis); AAC keeps it.
    ///
    /// # Errors
    /// On a file that is missing, empty, unknown, damaged or cut off, and on one without audio or
    /// with samples that are no amplitudes: see [`AudioError`]. Where neither the header nor the end
    /// of a stream tells its length (MP3 without a Xing tag, ADTS), a cut cannot be noticed.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, AudioError> {
        let path = path.as_ref();
        let mut blocks = AudioBlocks::new(path, open(path)?)?;
        let sample_rate_hz = blocks.source_rate_hz();
        let mut samples = Vec::new();
        while let Some(block) = blocks.next_block()? {
            samples.extend(block);
        }
        Ok(Self { samples, sample_rate_hz })
    }

    /// Reads a recording and resamples it to `rate_hz`.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`resampled`](Self::resampled).
    pub fn read_at(path: impl AsRef<Path>, rate_hz: u32) -> Result<Self, AudioError> {
        let clip = Self::read(path)?;
        if clip.sample_rate_hz == rate_hz { Ok(clip) } else { clip.resampled(rate_hz) }
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }

    /// The part that starts at `start_seconds` and lasts `seconds`, rounded to samples and cut to
    /// what there is.
    pub fn excerpt(&self, start_seconds: f64, seconds: f64) -> Self {
        let length = self.samples.len();
        // A float beyond the range of usize, or NaN, saturates in the cast.
        let sample_at =
            |at: f64| ((at * f64::from(self.sample_rate_hz)).round() as usize).min(length);
        let start = sample_at(start_seconds);
        let end = start.saturating_add(sample_at(seconds)).min(length);
        Self { samples: self.samples[start..end].to_vec(), sample_rate_hz: self.sample_rate_hz }
    }

    /// Where the first sample is that is NaN or beyond [`MAX_AMPLITUDE`], if there is one.
    pub fn first_implausible(&self) -> Option<usize> {
        first_implausible(&self.samples)
    }
}

pub(crate) fn first_implausible(samples: &[f32]) -> Option<usize> {
    samples.iter().position(|it| it.is_nan() || it.abs() > MAX_AMPLITUDE)
}

pub(crate) fn open(path: &Path) -> Result<File, AudioError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => AudioError::NotFound { path: path.into() },
        _ => AudioError::Unreadable { path: path.into(), source },
    })?;
    if file.metadata().is_ok_and(|it| it.is_dir()) {
        let source = io::ErrorKind::IsADirectory.into();
        return Err(AudioError::Unreadable { path: path.into(), source });
    }
    Ok(file)
}

pub(crate) fn check_rate(path: &Path, rate_hz: u32) -> Result<(), AudioError> {
    if is_plausible_rate(rate_hz) {
        Ok(())
    } else {
        Err(AudioError::ImplausibleRate { path: path.into(), rate_hz })
    }
}

pub(crate) fn is_plausible_rate(rate_hz: u32) -> bool {
    (MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_excerpt(start_seconds: f64, seconds: f64, expected: &[f32]) {
        let clip = Clip { samples: vec![0.0, 0.1, 0.2, 0.3], sample_rate_hz: 1000 };
        assert_eq!(clip.excerpt(start_seconds, seconds).samples, expected);
    }

    #[test]
    fn excerpts_are_cut_to_what_there_is() {
        check_excerpt(0.001, 0.002, &[0.1, 0.2]);
        check_excerpt(0.003, 1.0, &[0.3]);
        check_excerpt(2.0, 1.0, &[]);
        check_excerpt(-1.0, 0.001, &[0.0]);
        check_excerpt(0.0, f64::INFINITY, &[0.0, 0.1, 0.2, 0.3]);
    }

    #[test]
    fn seconds_are_samples_over_rate() {
        assert_eq!(Clip { samples: vec![0.0; 12_000], sample_rate_hz: 24_000 }.seconds(), 0.5);
    }
}
