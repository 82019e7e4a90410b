//! A recording that is read block by block.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::compressed::CompressedBlocks;
use crate::wav::WavBlocks;
use crate::{AudioError, AudioFormat, ResampleStream};

/// A recording too long for memory, perhaps: opened once, and read as often as need be.
///
/// ```
/// use audiolm_audio::{AudioFile, Clip};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("silence.wav");
/// Clip { samples: vec![0.0; 100_000], sample_rate_hz: 24_000 }.write_wav(&path)?;
///
/// let file = AudioFile::open(&path)?;
/// let mut n_samples = 0;
/// let mut blocks = file.blocks()?.resampled(16_000)?;
/// while let Some(block) = blocks.next_block()? {
///     n_samples += block.len();
/// }
/// assert_eq!(n_samples, 66_667);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AudioFile {
    path: PathBuf,
    file: File,
}

/// The mono samples of an [`AudioFile`], one after the other.
pub struct AudioBlocks {
    path: PathBuf,
    format: AudioFormat,
    source: Source,
    /// What the header or the first packet states.
    source_rate_hz: u32,
    /// Samples that the source has given so far.
    n_source_samples: u64,
    resampling: Option<ResampleStream>,
}

/// By the kind of file.
enum Source {
    Wav(WavBlocks),
    Compressed(Box<CompressedBlocks>),
    /// Nothing comes any more.
    Done,
}

impl AudioFile {
    /// Opens a file; nothing is read yet.
    ///
    /// # Errors
    /// Where there is no such file, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AudioError> {
        let path = path.as_ref();
        Ok(Self { path: path.into(), file: crate::clip::open(path)? })
    }

    /// Keeps what comes from `input`, which can be read but once, in a temporary file. Errors name
    /// it `name`.
    ///
    /// # Errors
    /// Where it cannot be read, or not kept.
    pub fn spooled(name: impl AsRef<Path>, mut input: impl Read) -> Result<Self, AudioError> {
        let path = name.as_ref();
        let mut spool = || {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut input, &mut file)?;
            Ok(file)
        };
        let unreadable = |source| AudioError::Unreadable { path: path.into(), source };
        Ok(Self { path: path.into(), file: spool().map_err(unreadable)? })
    }

    /// What errors name it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its samples from the beginning, mixed to mono as [`Clip::read`](crate::Clip::read) does.
    /// Blocks that were asked for earlier must not be read on: they share the place in the file.
    ///
    /// # Errors
    /// As [`Clip::read`](crate::Clip::read), for what shows at the beginning.
    pub fn blocks(&self) -> Result<AudioBlocks, AudioError> {
        let path = &self.path;
        let rewound = || {
            let mut file = self.file.try_clone()?;
            file.rewind()?;
            Ok(file)
        };
        let unreadable = |source| AudioError::Unreadable { path: path.clone(), source };
        AudioBlocks::new(path, rewound().map_err(unreadable)?)
    }
}

impl AudioBlocks {
    pub(crate) fn new(path: &Path, mut file: File) -> Result<Self, AudioError> {
        let format = AudioFormat::sniff(path, &mut file)?;
        let source = match format {
            AudioFormat::Wav => Source::Wav(WavBlocks::new(path, file)?),
            _ => Source::Compressed(Box::new(CompressedBlocks::new(path, file, format)?)),
        };
        let source_rate_hz = match &source {
            Source::Wav(it) => it.sample_rate_hz(),
            Source::Compressed(it) => it.sample_rate_hz(),
            Source::Done => unreachable!("it has just begun"),
        };
        crate::clip::check_rate(path, source_rate_hz)?;
        let path = path.into();
        Ok(Self { path, format, source, source_rate_hz, n_source_samples: 0, resampling: None })
    }

    /// The same samples at another rate.
    ///
    /// # Errors
    /// When the rate is implausible.
    pub fn resampled(self, rate_hz: u32) -> Result<Self, AudioError> {
        let resampling = Some(ResampleStream::new(self.source_rate_hz, rate_hz)?);
        Ok(Self { resampling, ..self })
    }

    /// Samples per second of the recording itself.
    pub fn source_rate_hz(&self) -> u32 {
        self.source_rate_hz
    }

    /// How long the recording itself is, as far as it has been read.
    pub fn source_seconds(&self) -> f64 {
        self.n_source_samples as f64 / f64::from(self.source_rate_hz)
    }

    /// The next samples, at least one and not many seconds of them; none after the last.
    ///
    /// # Errors
    /// As [`Clip::read`](crate::Clip::read).
    pub fn next_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        while !matches!(self.source, Source::Done) {
            let block = match self.source_block()? {
                Some(block) => self.at_its_rate(block)?,
                None => self.rest()?,
            };
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    fn at_its_rate(&mut self, block: Vec<f32>) -> Result<Vec<f32>, AudioError> {
        match &mut self.resampling {
            Some(resampling) => resampling.push(&block),
            None => Ok(block),
        }
    }

    /// What is left after the last block.
    fn rest(&mut self) -> Result<Vec<f32>, AudioError> {
        self.source = Source::Done;
        if self.n_source_samples == 0 {
            return Err(AudioError::NoAudio { path: self.path.clone(), format: self.format });
        }
        match self.resampling.take() {
            Some(resampling) => resampling.finish(),
            None => Ok(Vec::new()),
        }
    }

    fn source_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        let block = match &mut self.source {
            Source::Wav(it) => it.next_block()?,
            Source::Compressed(it) => it.next_block()?,
            Source::Done => None,
        };
        let Some(samples) = &block else { return Ok(None) };
        if let Some(index) = crate::clip::first_implausible(samples) {
            let position = self.n_source_samples as usize + index;
            let (path, value) = (self.path.clone(), samples[index]);
            return Err(AudioError::ImplausibleSample { path, position, value });
        }
        self.n_source_samples += samples.len() as u64;
        Ok(block)
    }
}
