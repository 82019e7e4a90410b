//! Codes read while they are needed.

use std::io::Read;

use super::block::{bytes_of, full_block, unpack};
use super::entropy_coder::EntropyCoder;
use super::header::require;
use super::source::Source;
use crate::{CodeFileError, CodeFileHeader};

/// What every file begins with.
pub(super) const MAGIC: [u8; 4] = *b"ALMC";
/// The version that this build writes.
pub(super) const VERSION: u16 = 2;

/// Reads the bytes of a [`CodeFile`](crate::CodeFile) block by block: memory does not grow with
/// the clip, and is taken only for codes that are there.
#[derive(Debug)]
pub struct CodeReader<R> {
    source: Source<R>,
    header: CodeFileHeader,
    format: Format,
    frames_left: u64,
}

/// How blocks are written.
#[derive(Debug)]
enum Format {
    /// Version 1: one checksum at the end.
    One,
    /// Version 2: a checksum after each block.
    Bits,
    /// The same, packed adaptively.
    Adaptive(EntropyCoder),
}

impl<R: Read> CodeReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Where it is none, or a damaged one.
    pub fn new(input: R) -> Result<Self, CodeFileError> {
        let mut source = Source::new(input);
        match source.array() {
            Ok(MAGIC) => {}
            Ok(_) | Err(CodeFileError::BreaksOff { .. }) => return Err(CodeFileError::Foreign),
            Err(error) => return Err(error),
        }
        let version = u16::from_le_bytes(source.array()?);
        if version == 0 || version > VERSION {
            return Err(CodeFileError::Version { found: version });
        }
        let header = CodeFileHeader::read(&mut source)?;
        let [packing, rest @ ..] = match version {
            1 => [0; 4],
            _ => source.array::<4>()?,
        };
        if version > 1 {
            source.check()?;
        }
        header.validate()?;
        require(rest == [0; 3], "what follows the packing", "zeros", format!("{rest:?}"))?;
        let format = match (version, packing) {
            (1, _) => Format::One,
            (_, 0) => Format::Bits,
            (_, found) => {
                require(found == 1, "the packing", "0 or 1", found)?;
                Format::Adaptive(EntropyCoder::new(&header)?)
            }
        };
        Ok(Self { source, format, frames_left: header.n_frames(), header })
    }

    /// What the file says of its codes.
    pub fn header(&self) -> &CodeFileHeader {
        &self.header
    }

    /// The next codes, `[frame][quantizer]`; none after the last.
    ///
    /// Codes of a file of version 1 are known to be whole only once there are no more.
    ///
    /// # Errors
    /// Where bytes are missing, too many or not as they were written.
    pub fn next_block(&mut self) -> Result<Option<Vec<u32>>, CodeFileError> {
        if self.frames_left == 0 {
            return Ok(None);
        }
        let n_quantizers = usize::from(self.header.n_quantizers);
        let full = (full_block(&self.header) / n_quantizers) as u64;
        let n_frames = full.min(self.frames_left);
        self.frames_left -= n_frames;
        let codes = self.codes(n_frames as usize * n_quantizers)?;
        if self.frames_left == 0 {
            self.source.end()?;
        }
        Ok(Some(codes))
    }

    fn codes(&mut self, n_codes: usize) -> Result<Vec<u32>, CodeFileError> {
        let n_bytes = bytes_of(n_codes, &self.header);
        match &mut self.format {
            Format::One => {
                let bytes = self.source.bytes(n_bytes)?;
                if self.frames_left == 0 {
                    self.source.check()?;
                }
                unpack(&bytes, n_codes, &self.header)
            }
            Format::Bits => {
                let bytes = self.source.bytes(n_bytes)?;
                self.source.check()?;
                unpack(&bytes, n_codes, &self.header)
            }
            Format::Adaptive(coder) => {
                let n_words = u32::from_le_bytes(self.source.array()?);
                let damaged = CodeFileError::Block { found: n_words };
                // Longer range coding is never written.
                if u64::from(n_words) * 4 >= n_bytes as u64 && n_words > 0 {
                    return Err(damaged);
                }
                let is_bits = n_words == 0;
                let bytes =
                    self.source.bytes(if is_bits { n_bytes } else { 4 * n_words as usize })?;
                self.source.check()?;
                if is_bits {
                    let codes = unpack(&bytes, n_codes, &self.header)?;
                    coder.learn(&codes);
                    return Ok(codes);
                }
                coder.decode(words(&bytes), n_codes).ok_or(damaged)
            }
        }
    }
}

impl<R: Read> Iterator for CodeReader<R> {
    type Item = Result<Vec<u32>, CodeFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|it| u32::from_le_bytes(*it)).collect()
}
