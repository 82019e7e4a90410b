//! A WAV file written block by block.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use hound::WavWriter;

use crate::clip::first_implausible;
use crate::wav::{failed, spec};
use crate::{AudioError, SampleFormat, WriteError, to_int16};

/// Bytes that the header of a WAV file can count, less those of the header itself.
pub(crate) const MOST_BYTES: u64 = u32::MAX as u64 - 128;

/// A mono WAV file on its way. Where it goes has to be whole: see [`WholeFile`](crate::WholeFile).
pub struct WavFile<W: Write + Seek> {
    path: PathBuf,
    writer: WavWriter<W>,
    format: SampleFormat,
    n_samples: u64,
}

impl<W: Write + Seek> WavFile<W> {
    /// Begins a file in `out`, which errors name `path`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new(
        out: W,
        path: impl AsRef<Path>,
        sample_rate_hz: u32,
        format: SampleFormat,
    ) -> Result<Self, AudioError> {
        let path = path.as_ref();
        let writer =
            WavWriter::new(out, spec(sample_rate_hz, format)).map_err(|it| failed(path, it))?;
        Ok(Self { path: path.into(), writer, format, n_samples: 0 })
    }

    /// Adds samples.
    ///
    /// # Errors
    /// When one cannot be meant, when the file becomes longer than its header can say, and when the
    /// system refuses.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        let path = || self.path.clone();
        if let Some(index) = first_implausible(samples) {
            let position = self.n_samples as usize + index;
            let value = samples[index];
            return Err(AudioError::ImplausibleSample { path: path(), position, value });
        }
        self.n_samples += samples.len() as u64;
        if self.n_samples * self.format.bytes() > MOST_BYTES {
            return Err(WriteError::TooLong { path: path(), most: MOST_BYTES }.into());
        }
        let written = match self.format {
            SampleFormat::Int16 => {
                samples.iter().try_for_each(|it| self.writer.write_sample(to_int16(*it)))
            }
            SampleFormat::Float32 => {
                samples.iter().try_for_each(|it| self.writer.write_sample(*it))
            }
        };
        written.map_err(|it| failed(&self.path, it))
    }

    /// Completes the header for the samples so far: until more are added, what is there is a whole file.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn flush(&mut self) -> Result<(), AudioError> {
        self.writer.flush().map_err(|it| failed(&self.path, it))
    }

    /// How many samples there are.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// Completes the header.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(self) -> Result<(), AudioError> {
        self.writer.finalize().map_err(|it| failed(&self.path, it))
    }
}
