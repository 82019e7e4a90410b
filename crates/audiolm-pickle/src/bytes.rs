//! Bytes at rest.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::{Fault, PickleError};

/// A file of which parts are read when they are needed, or what was inflated from one.
pub struct Bytes {
    kind: Kind,
    length: u64,
}

enum Kind {
    File(Mutex<File>),
    Memory(Vec<u8>),
}

impl Bytes {
    /// Opens a file; nothing of it is read yet.
    ///
    /// # Errors
    /// Where there is no such file.
    pub fn open(path: &Path) -> Result<Self, PickleError> {
        Self::of_path(path).map_err(|it| it.of(path))
    }

    /// Bytes that are in memory already.
    pub fn of_memory(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, kind: Kind::Memory(bytes) }
    }

    /// How many there are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads `length` bytes from byte `start` on. What is not there is not allocated for.
    ///
    /// # Errors
    /// Where there are fewer, or the file cannot be read.
    pub fn read(&self, start: u64, length: u64) -> Result<Vec<u8>, Fault> {
        let left = self.length.saturating_sub(start);
        let truncated = Fault::Truncated { at: start, wanted: length, left };
        if length > left {
            return Err(truncated);
        }
        let Ok(length) = usize::try_from(length) else { return Err(truncated) };
        let mut bytes = vec![0; length];
        self.fill(start, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads up to the end of `buffer` or of the bytes, and says how many that were.
    pub(crate) fn read_some(&self, start: u64, buffer: &mut [u8]) -> Result<usize, Fault> {
        let left = self.length.saturating_sub(start);
        let n = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.fill(start, &mut buffer[..n])?;
        Ok(n)
    }

    fn of_path(path: &Path) -> Result<Self, Fault> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Fault::unexpected("a file", "something else, perhaps a folder"));
        }
        Ok(Self { length: metadata.len(), kind: Kind::File(Mutex::new(file)) })
    }

    /// Fills `buffer`, for which there must be enough.
    fn fill(&self, start: u64, buffer: &mut [u8]) -> Result<(), Fault> {
        if buffer.is_empty() {
            return Ok(());
        }
        match &self.kind {
            Kind::Memory(bytes) => {
                let start = start as usize;
                buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
            }
            Kind::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(buffer)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.length)
    }
}
