//! A WAV file for those who cannot go back in it, such as a pipe.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::clip::first_implausible;
use crate::wav_file::MOST_BYTES;
use crate::{AudioError, WriteError, to_int16};

/// Bytes of a 16-bit sample.
const SAMPLE_BYTES: u64 = 2;
/// Bytes of the header after the first length in it.
const REST_OF_HEADER: u32 = 36;

/// A mono 16-bit WAV file that is written from the first byte to the last: its header says how long it
/// will be. Byte for byte what [`WavFile`](crate::WavFile) writes.
pub struct WavStream<W: Write> {
    out: W,
    path: PathBuf,
    n_samples: u64,
}

impl<W: Write> WavStream<W> {
    /// Begins a file of `n_samples` in `out`, which errors name `path`.
    ///
    /// # Errors
    /// When it would be longer than its header can say, and when the system refuses.
    pub fn new(
        mut out: W,
        path: impl AsRef<Path>,
        sample_rate_hz: u32,
        n_samples: u64,
    ) -> Result<Self, AudioError> {
        let path = path.as_ref();
        let bytes = n_samples.saturating_mul(SAMPLE_BYTES);
        if bytes > MOST_BYTES {
            return Err(WriteError::TooLong { path: path.into(), most: MOST_BYTES }.into());
        }
        out.write_all(&header(sample_rate_hz, bytes as u32)).map_err(|it| failed(path, it))?;
        Ok(Self { out, path: path.into(), n_samples: 0 })
    }

    /// Adds samples, and sends them on their way.
    ///
    /// # Errors
    /// When one cannot be meant, and when the system refuses.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        if let Some(index) = first_implausible(samples) {
            let (path, value) = (self.path.clone(), samples[index]);
            let position = self.n_samples as usize + index;
            return Err(AudioError::ImplausibleSample { path, position, value });
        }
        self.n_samples += samples.len() as u64;
        let bytes: Vec<u8> = samples.iter().flat_map(|it| to_int16(*it).to_le_bytes()).collect();
        let written = self.out.write_all(&bytes).and_then(|()| self.out.flush());
        written.map_err(|it| failed(&self.path, it))
    }

    /// How many samples there are so far.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }
}

/// The 44 bytes of a header of PCM, format 1 (Microsoft and IBM, "Multimedia Programming Interface and
/// Data Specifications 1.0", 1991).
fn header(sample_rate_hz: u32, data_bytes: u32) -> Vec<u8> {
    let format: [u16; 2] = [1, 1]; // PCM, one channel
    let block: [u16; 2] = [SAMPLE_BYTES as u16, 8 * SAMPLE_BYTES as u16];
    [
        &b"RIFF"[..],
        &(REST_OF_HEADER + data_bytes).to_le_bytes(),
        b"WAVEfmt ",
        &16_u32.to_le_bytes(),
        format.map(u16::to_le_bytes).as_flattened(),
        &sample_rate_hz.to_le_bytes(),
        &(SAMPLE_BYTES as u32 * sample_rate_hz).to_le_bytes(),
        block.map(u16::to_le_bytes).as_flattened(),
        b"data",
        &data_bytes.to_le_bytes(),
    ]
    .concat()
}

fn failed(path: &Path, source: std::io::Error) -> AudioError {
    WriteError::Failed { path: path.into(), source }.into()
}
