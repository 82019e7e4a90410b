//! A pickle as it is read, byte after byte.

use crate::{Bytes, Fault};

/// Bytes that are fetched at once.
const BLOCK: usize = 8192;

/// Reads a part of some bytes from its first to its last.
pub(crate) struct Stream<'a> {
    bytes: &'a Bytes,
    /// Where the next block begins.
    next: u64,
    /// Where the part ends.
    end: u64,
    block: Vec<u8>,
    /// The first byte of the block that has not been read.
    read: usize,
}

impl<'a> Stream<'a> {
    /// From byte `start` up to but without byte `end`.
    pub(crate) fn new(bytes: &'a Bytes, start: u64, end: u64) -> Self {
        Self { bytes, next: start, end: end.min(bytes.length()), block: Vec::new(), read: 0 }
    }

    /// Where the next byte stands.
    pub(crate) fn position(&self) -> u64 {
        self.next - (self.block.len() - self.read) as u64
    }

    /// Bytes that follow.
    pub(crate) fn left(&self) -> u64 {
        self.end.saturating_sub(self.position())
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        self.require(N as u64)?;
        self.copy_to(&mut array)?;
        Ok(array)
    }

    /// The next `length` bytes, at most `limit`. What is not there is not allocated for.
    pub(crate) fn take(&mut self, length: u64, limit: usize) -> Result<Vec<u8>, Fault> {
        self.require(length)?;
        if length > limit as u64 {
            return Err(Fault::Limit { of: "bytes of one string", limit: limit as u64 });
        }
        let mut bytes = vec![0; length as usize];
        self.copy_to(&mut bytes)?;
        Ok(bytes)
    }

    /// The next bytes up to a line feed, which is dropped; at most `limit`.
    pub(crate) fn line(&mut self, limit: usize) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(line),
                _ if line.len() == limit => {
                    return Err(Fault::Limit { of: "bytes of one line", limit: limit as u64 });
                }
                byte => line.push(byte),
            }
        }
    }

    /// Leaves out `length` bytes.
    pub(crate) fn skip(&mut self, length: u64) -> Result<(), Fault> {
        self.require(length)?;
        self.next = self.position() + length;
        self.block.clear();
        self.read = 0;
        Ok(())
    }

    fn require(&self, wanted: u64) -> Result<(), Fault> {
        let left = self.left();
        match wanted <= left {
            true => Ok(()),
            false => Err(Fault::Truncated { at: self.position(), wanted, left }),
        }
    }

    fn copy_to(&mut self, mut target: &mut [u8]) -> Result<(), Fault> {
        while !target.is_empty() {
            if self.read == self.block.len() {
                self.fetch()?;
            }
            let n = target.len().min(self.block.len() - self.read);
            let (now, later) = target.split_at_mut(n);
            now.copy_from_slice(&self.block[self.read..self.read + n]);
            self.read += n;
            target = later;
        }
        Ok(())
    }

    fn fetch(&mut self) -> Result<(), Fault> {
        self.block.resize(BLOCK.min((self.end - self.next).min(BLOCK as u64) as usize), 0);
        let n = self.bytes.read_some(self.next, &mut self.block)?;
        self.block.truncate(n);
        self.read = 0;
        self.next += n as u64;
        match n {
            0 => Err(Fault::Truncated { at: self.next, wanted: 1, left: 0 }),
            _ => Ok(()),
        }
    }
}
