//! WAV files, read and written through hound.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use hound::{WavReader, WavSpec, WavWriter};

use crate::{AudioError, AudioFormat, Clip, ClipInfo, WriteError, mono, to_int16, write_whole};

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
        self.check_samples(path)?;
        write_whole(path, |out| {
            let fill = || -> Result<(), hound::Error> {
                let mut writer = WavWriter::new(out, spec(self.sample_rate_hz, format))?;
                match format {
                    SampleFormat::Int16 => {
                        self.samples.iter().try_for_each(|it| writer.write_sample(to_int16(*it)))?
                    }
                    SampleFormat::Float32 => {
                        self.samples.iter().try_for_each(|it| writer.write_sample(*it))?
                    }
                }
                writer.finalize()
            };
            fill().map_err(|source| failed(path, source))
        })
    }
}

fn spec(sample_rate: u32, format: SampleFormat) -> WavSpec {
    let (bits_per_sample, sample_format) = match format {
        SampleFormat::Int16 => (16, hound::SampleFormat::Int),
        SampleFormat::Float32 => (32, hound::SampleFormat::Float),
    };
    WavSpec { channels: 1, sample_rate, bits_per_sample, sample_format }
}

fn failed(path: &Path, error: hound::Error) -> AudioError {
    let source = match error {
        hound::Error::IoError(source) => source,
        other => io::Error::other(other),
    };
    WriteError::Failed { path: path.into(), source }.into()
}

/// Reads a WAV file, mixed to mono.
pub(crate) fn read(path: &Path, file: File) -> Result<Clip, AudioError> {
    let (mut reader, spec) = open(path, file)?;
    let interleaved = match spec.sample_format {
        hound::SampleFormat::Float => take_samples(path, &mut reader, |it: f32| it)?,
        hound::SampleFormat::Int => {
            let scale = 0.5_f32.powi(i32::from(spec.bits_per_sample) - 1);
            take_samples(path, &mut reader, |it: i32| it as f32 * scale)?
        }
    };
    let n_channels = usize::from(spec.channels);
    let mut samples = Vec::with_capacity(interleaved.len() / n_channels);
    mono::mix_into(&mut samples, &interleaved, n_channels);
    Ok(Clip { samples, sample_rate_hz: spec.sample_rate })
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

/// All samples, still interleaved; the end of the file before the end of the data is an error.
fn take_samples<S: hound::Sample>(
    path: &Path,
    reader: &mut WavReader<BufReader<File>>,
    convert: impl Fn(S) -> f32,
) -> Result<Vec<f32>, AudioError> {
    let n_channels = u64::from(reader.spec().channels);
    let promised = u64::from(reader.duration());
    // The header may promise gigabytes that are not there, so nothing is reserved on its word.
    let mut samples = Vec::new();
    for sample in reader.samples::<S>() {
        match sample {
            Ok(sample) => samples.push(convert(sample)),
            // The end of the file is the one failure that hound reports without the system's code.
            Err(hound::Error::IoError(it)) if it.raw_os_error().is_none() => {
                let found = samples.len() as u64 / n_channels;
                return Err(AudioError::Truncated { path: path.into(), promised, found });
            }
            Err(source) => return Err(AudioError::BadWav { path: path.into(), source }),
        }
    }
    Ok(samples)
}
