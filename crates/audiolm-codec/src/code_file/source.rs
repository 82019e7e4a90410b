//! Bytes that come one after the other, counted and summed up.

use std::io::{ErrorKind, Read};

use crate::CodeFileError;

/// What a file of codes is read from.
#[derive(Debug)]
pub(super) struct Source<R> {
    input: R,
    checksum: crc32fast::Hasher,
    n_bytes: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, checksum: crc32fast::Hasher::new(), n_bytes: 0 }
    }

    /// The next bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodeFileError> {
        let bytes = self.bytes(N)?;
        Ok(bytes.try_into().expect("as many bytes as were asked for"))
    }

    /// The next bytes; memory is taken for those that are there.
    pub(super) fn bytes(&mut self, n: usize) -> Result<Vec<u8>, CodeFileError> {
        let bytes = self.taken(n)?;
        self.checksum.update(&bytes);
        Ok(bytes)
    }

    /// Compares the checksum of all bytes so far with the one that follows.
    pub(super) fn check(&mut self) -> Result<(), CodeFileError> {
        let expected = self.checksum.clone().finalize().to_le_bytes();
        match self.taken(expected.len())? == expected {
            true => Ok(()),
            false => Err(CodeFileError::Checksum),
        }
    }

    /// Refuses anything more.
    pub(super) fn end(&mut self) -> Result<(), CodeFileError> {
        let expected = self.n_bytes;
        match self.taken(1) {
            Err(CodeFileError::BreaksOff { .. }) => Ok(()),
            Ok(_) => Err(CodeFileError::GoesOn { expected }),
            Err(error) => Err(error),
        }
    }

    fn taken(&mut self, n: usize) -> Result<Vec<u8>, CodeFileError> {
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(n as u64).read_to_end(&mut bytes);
        self.n_bytes += bytes.len() as u64;
        let breaks_off = CodeFileError::BreaksOff { found: self.n_bytes };
        match read {
            Ok(found) if found == n => Ok(bytes),
            Ok(_) => Err(breaks_off),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(breaks_off),
            Err(error) => Err(CodeFileError::Unreadable { reason: error.to_string() }),
        }
    }
}
