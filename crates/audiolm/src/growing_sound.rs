//! A sound that can be heard while it is made.

use std::fs::File;
use std::io::{BufWriter, Stdout, stdout};

use anyhow::{Context, Result};
use audiolm::audio::{SampleFormat, WavFile, WavStream};

use crate::destination::Destination;

/// Where blocks go one by one: each can be heard at once.
pub enum GrowingSound {
    /// A file that is a whole recording after every block, and has its name from the first on.
    File(WavFile<BufWriter<File>>),
    /// The standard output.
    Standard(WavStream<Stdout>),
}

/// What the header of a sound says before there is any.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// How many there will be.
    pub n_samples: usize,
}

impl GrowingSound {
    /// Begins to write.
    pub fn begin(output: &Destination, promise: Promise) -> Result<Self> {
        let Promise { sample_rate_hz, n_samples } = promise;
        let path = output.path();
        match output {
            Destination::File(_) => {
                let file = File::create(path)
                    .with_context(|| format!("{}: cannot be written", path.display()))?;
                let (out, format) = (BufWriter::new(file), SampleFormat::Int16);
                Ok(Self::File(WavFile::new(out, path, sample_rate_hz, format)?))
            }
            Destination::Standard => {
                let n_samples = n_samples as u64;
                Ok(Self::Standard(WavStream::new(stdout(), path, sample_rate_hz, n_samples)?))
            }
        }
    }

    /// Adds samples that can be heard from now on.
    pub fn push(&mut self, samples: &[f32]) -> Result<()> {
        match self {
            Self::File(file) => {
                file.push(samples)?;
                Ok(file.flush()?)
            }
            Self::Standard(stream) => Ok(stream.push(samples)?),
        }
    }

    /// How many samples there are so far.
    pub fn n_samples(&self) -> u64 {
        match self {
            Self::File(file) => file.n_samples(),
            Self::Standard(stream) => stream.n_samples(),
        }
    }
}
