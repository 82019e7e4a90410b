//! Where a long result goes: a file that is whole or not there, or the standard output.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};
use audiolm::audio::WholeFile;

use crate::output::Output;

/// What stands for the standard input and output.
pub const STANDARD: &str = "-";

/// A destination, checked before the work.
#[derive(Debug, Clone)]
pub enum Destination {
    /// A file.
    File(Output),
    /// The standard output.
    Standard,
}

/// A destination while it is written to. Nothing shows before it is [`kept`](Self::keep).
#[derive(Debug)]
pub enum OpenDestination {
    /// A file on its way to its name.
    File(WholeFile),
    /// A temporary file on its way to the standard output.
    Standard(BufWriter<File>),
}

impl Destination {
    /// For a sound.
    pub fn wav(path: &Path) -> Result<Self> {
        Self::of(path, Output::wav)
    }

    /// For codes.
    pub fn codes(path: &Path) -> Result<Self> {
        Self::of(path, Output::codes)
    }

    fn of(path: &Path, file: impl Fn(&Path) -> Result<Output>) -> Result<Self> {
        match path == Path::new(STANDARD) {
            true => Ok(Self::Standard),
            false => file(path).map(Self::File),
        }
    }

    /// Refuses to write over the file that is read.
    pub fn beside(self, input: &Path) -> Result<Self> {
        match self {
            Self::File(output) => output.beside(input).map(Self::File),
            Self::Standard => Ok(Self::Standard),
        }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(output) => output.path(),
            Self::Standard => Path::new(STANDARD),
        }
    }

    /// Whether a report on the standard output would be in the way.
    pub fn is_standard(&self) -> bool {
        matches!(self, Self::Standard)
    }

    /// Begins to write.
    pub fn open(&self) -> Result<OpenDestination> {
        match self {
            Self::File(output) => Ok(OpenDestination::File(WholeFile::create(output.path())?)),
            Self::Standard => {
                let file = tempfile::tempfile().context("no temporary file for the output")?;
                Ok(OpenDestination::Standard(BufWriter::new(file)))
            }
        }
    }
}

impl OpenDestination {
    /// Shows what was written.
    pub fn keep(self) -> Result<()> {
        match self {
            Self::File(file) => Ok(file.keep()?),
            Self::Standard(out) => {
                let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.rewind()?;
                let mut standard = io::stdout().lock();
                io::copy(&mut file, &mut standard)?;
                Ok(standard.flush()?)
            }
        }
    }
}

impl Write for OpenDestination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Standard(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Standard(file) => file.flush(),
        }
    }
}

impl Seek for OpenDestination {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Standard(file) => file.seek(to),
        }
    }
}
