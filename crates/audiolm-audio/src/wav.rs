//! WAV files, read and written through hound.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use hound::{WavReader, WavSpec};

use crate::{AudioError, AudioFormat, Clip, ClipInfo, WavFile, WriteError, mono, write_whole};

/// Samples of all channels that are read at once.
const BLOCK_SAMPLES: usize = 16_384;

/// How the samples of a written WAV file are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SampleFormat {
    /// 16-bit PCM, clipped to [-1, 1]. A 16-bit file that was read is written back bit for bit.
    #[default]
    Int16,
    /// 32-bit float, kept as it is.
    Float32,
}

impl Clip {
    /// Writes a 16-bit mono WAV file; short for [`write_wav_as`](Self::write_wav_as) with
    /// [`SampleFormat::Int16`].
    ///
    /// # Errors
    /// As [`write_wav_as`](Self::write_wav_as).
    pub fn write_wav(&self, path: impl AsRef<Path>) -> Result<(), AudioError> {
        self.write_wav_as(path, SampleFormat::Int16)
    }

    /// Writes a mono WAV file, whole or not at all: it takes its name once it is complete.
    ///
    /// # Errors
    /// When a sample cannot be meant, when the folder is missing and when the system refuses.
    pub fn write_wav_as(
        &self,
        path: impl AsRef<Path>,
        format: SampleFormat,
    ) -> Result<(), AudioError> {
        let path = path.as_ref();
        write_whole(path, |out| {
            let mut file = WavFile::new(out, path, self.sample_rate_hz, format)?;
            file.push(&self.samples)?;
            file.finish()
        })
    }
}

impl SampleFormat {
    /// Bytes of a sample.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::Int16 => 2,
            Self::Float32 => 4,
        }
    }
}

pub(crate) fn spec(sample_rate: u32, format: SampleFormat) -> WavSpec {
    let bits_per_sample = 8 * format.bytes() as u16;
    let sample_format = match format {
        SampleFormat::Int16 => hound::SampleFormat::Int,
        SampleFormat::Float32 => hound::SampleFormat::Float,
    };
    WavSpec { channels: 1, sample_rate, bits_per_sample, sample_format }
}

pub(crate) fn failed(path: &Path, error: hound::Error) -> AudioError {
    let source = match error {
        hound::Error::IoError(source) => source,
        other => io::Error::other(other),
    };
    WriteError::Failed { path: path.into(), source }.into()
}

/// The samples of a WAV file, mixed to mono, block by block.
pub(crate) struct WavBlocks {
    path: PathBuf,
    reader: WavReader<BufReader<File>>,
    spec: WavSpec,
    /// Samples per channel that have been read.
    n_read: u64,
}

impl WavBlocks {
    pub(crate) fn new(path: &Path, file: File) -> Result<Self, AudioError> {
        let (reader, spec) = open(path, file)?;
        Ok(Self { path: path.into(), reader, spec, n_read: 0 })
    }

    pub(crate) fn sample_rate_hz(&self) -> u32 {
        self.spec.sample_rate
    }

    /// None after the last sample.
    pub(crate) fn next_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        let interleaved = match self.spec.sample_format {
            hound::SampleFormat::Float => self.interleaved(|it: f32| it)?,
            hound::SampleFormat::Int => {
                let scale = 0.5_f32.powi(i32::from(self.spec.bits_per_sample) - 1);
                self.interleaved(|it: i32| it as f32 * scale)?
            }
        };
        let mut samples = Vec::new();
        mono::mix_into(&mut samples, &interleaved, usize::from(self.spec.channels));
        self.n_read += samples.len() as u64;
        Ok(Some(samples).filter(|it| !it.is_empty()))
    }

    /// Some samples of all channels; the end of the file before the end of the data is an error.
    fn interleaved<S: hound::Sample>(
        &mut self,
        convert: impl Fn(S) -> f32,
    ) -> Result<Vec<f32>, AudioError> {
        let n_channels = usize::from(self.spec.channels);
        let promised = u64::from(self.reader.duration());
        let most = (BLOCK_SAMPLES / n_channels).max(1) * n_channels;
        let mut samples = Vec::with_capacity(most);
        for sample in self.reader.samples::<S>().take(most) {
            match sample {
                Ok(sample) => samples.push(convert(sample)),
                // The end of the file is the one failure that hound reports without the system's
                // code.
                Err(hound::Error::IoError(it)) if it.raw_os_error().is_none() => {
                    let found = self.n_read + (samples.len() / n_channels) as u64;
                    return Err(AudioError::Truncated { path: self.path.clone(), promised, found });
                }
                Err(source) => return Err(AudioError::BadWav { path: self.path.clone(), source }),
            }
        }
        Ok(samples)
    }
}

/// What the header of a WAV file says.
pub(crate) fn probe(path: &Path, file: File) -> Result<ClipInfo, AudioError> {
    let (reader, spec) = open(path, file)?;
    if reader.duration() == 0 {
        return Err(AudioError::NoAudio { path: path.into(), format: AudioFormat::Wav });
    }
    let seconds = f64::from(reader.duration()) / f64::from(spec.sample_rate);
    Ok(ClipInfo { seconds, sample_rate_hz: spec.sample_rate, channels: spec.channels })
}

fn open(path: &Path, mut file: File) -> Result<(WavReader<BufReader<File>>, WavSpec), AudioError> {
    check_length(path, &mut file)?;
    let reader = WavReader::new(BufReader::new(file)).map_err(|source| match source {
        hound::Error::FormatError("file contains zero channels") => {
            AudioError::ZeroChannels { path: path.into() }
        }
        source => AudioError::BadWav { path: path.into(), source },
    })?;
    let spec = reader.spec();
    crate::clip::check_rate(path, spec.sample_rate)?;
    Ok((reader, spec))
}

/// Refuses a length that hound would take at its word, and rewinds the file.
fn check_length(path: &Path, file: &mut File) -> Result<(), AudioError> {
    // Where the header breaks off before it states a length, hound says what is wrong.
    let is_open = StatedBytes::read(file).is_ok_and(|it| it.are_open());
    file.rewind().map_err(|source| AudioError::Unreadable { path: path.into(), source })?;
    if is_open { Err(AudioError::OpenLength { path: path.into() }) } else { Ok(()) }
}

/// The lengths that a header states.
struct StatedBytes {
    file: u32,
    data: u32,
}

impl StatedBytes {
    fn read(file: &mut File) -> io::Result<Self> {
        let mut reader = BufReader::new(file);
        let riff = ChunkHeader::read(&mut reader)?;
        reader.seek_relative(b"WAVE".len() as i64)?;
        let mut chunk = ChunkHeader::read(&mut reader)?;
        while chunk.name != *b"data" {
            let padding = chunk.bytes % 2;
            reader.seek_relative(i64::from(chunk.bytes) + i64::from(padding))?;
            chunk = ChunkHeader::read(&mut reader)?;
        }
        Ok(Self { file: riff.bytes, data: chunk.bytes })
    }

    /// Whether they stand for no length: none, or the greatest there is. A file of no samples says 0
    /// too, but counts its header.
    fn are_open(&self) -> bool {
        self.data == u32::MAX || (self.data == 0 && matches!(self.file, 0 | u32::MAX))
    }
}

/// How a chunk of a RIFF file begins.
struct ChunkHeader {
    name: [u8; 4],
    bytes: u32,
}

impl ChunkHeader {
    fn read(reader: &mut impl Read) -> io::Result<Self> {
        let (mut name, mut bytes) = ([0; 4], [0; 4]);
        reader.read_exact(&mut name)?;
        reader.read_exact(&mut bytes)?;
        Ok(Self { name, bytes: u32::from_le_bytes(bytes) })
    }
}
