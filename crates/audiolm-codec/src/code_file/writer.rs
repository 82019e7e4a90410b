//! Codes written while they come.

use std::io::{self, Write};

use super::block::{full_block, pack};
use super::entropy_coder::EntropyCoder;
use super::reader::{MAGIC, VERSION};
use crate::{CodeFileHeader, CodePacking};

/// Writes the bytes of a [`CodeFile`](crate::CodeFile) block by block: memory does not grow with
/// the clip.
///
/// ```
/// use audiolm_codec::{CodeFileHeader, CodePacking, CodeReader, CodeWriter, CodecId};
///
/// let header = CodeFileHeader {
///     n_quantizers: 2,
///     codebook_size: 1024,
///     sample_rate_hz: 16_000,
///     hop_samples: 320,
///     n_samples: 640,
///     gain: 1.0,
///     codec: CodecId::from_sha256(&"0".repeat(64)).expect("64 digits"),
/// };
/// let mut writer = CodeWriter::new(Vec::new(), header, CodePacking::default())?;
/// writer.push(&[7, 1023])?; // a frame
/// writer.push(&[7, 0])?;
/// let bytes = writer.finish()?;
///
/// let mut reader = CodeReader::new(&bytes[..])?;
/// assert_eq!(reader.header().n_frames(), 2);
/// assert_eq!(reader.next_block()?, Some(vec![7, 1023, 7, 0]));
/// assert_eq!(reader.next_block()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CodeWriter<W> {
    out: W,
    header: CodeFileHeader,
    coder: Option<EntropyCoder>,
    checksum: crc32fast::Hasher,
    /// Codes that do not fill a block yet.
    pending: Vec<u32>,
    /// Codes that are still to come.
    missing: u64,
}

impl<W: Write> CodeWriter<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// Where `out` does not take it.
    ///
    /// # Panics
    /// Where the header describes no clip, or one whose codebooks are too large to be packed
    /// adaptively: more than 2^22 entries in all.
    pub fn new(out: W, header: CodeFileHeader, packing: CodePacking) -> io::Result<Self> {
        header.validate().expect("a header that describes a clip");
        let coder = match packing {
            CodePacking::Bits => None,
            CodePacking::Adaptive => {
                Some(EntropyCoder::new(&header).expect("codebooks that can be packed adaptively"))
            }
        };
        let mut writer = Self {
            out,
            header,
            checksum: crc32fast::Hasher::new(),
            pending: Vec::new(),
            missing: header.n_codes().expect("a clip that fits a file"),
            coder,
        };
        writer.write(&MAGIC)?;
        writer.write(&VERSION.to_le_bytes())?;
        writer.write(&header.to_bytes())?;
        writer.write(&[u8::from(writer.coder.is_some()), 0, 0, 0])?;
        writer.write_checksum()?;
        Ok(writer)
    }

    /// Adds codes: `[frame][quantizer]`.
    ///
    /// # Errors
    /// Where `out` does not take them.
    ///
    /// # Panics
    /// Where there are more than the header says, or one is beyond the codebook.
    pub fn push(&mut self, codes: &[u32]) -> io::Result<()> {
        assert!(codes.len() as u64 <= self.missing, "no more codes than the header says");
        let size = self.header.codebook_size;
        assert!(codes.iter().all(|it| *it < size), "codes are below the codebook's size");
        self.missing -= codes.len() as u64;
        let full = full_block(&self.header);
        let mut left = codes;
        while self.pending.len() + left.len() >= full {
            let (filling, rest) = left.split_at(full - self.pending.len());
            self.pending.extend(filling);
            self.write_block()?;
            left = rest;
        }
        self.pending.extend(left);
        Ok(())
    }

    /// Writes what is left, and hands back where it went.
    ///
    /// # Errors
    /// Where `out` does not take it.
    ///
    /// # Panics
    /// Where codes are missing.
    pub fn finish(mut self) -> io::Result<W> {
        assert_eq!(self.missing, 0, "as many codes as the header says");
        if !self.pending.is_empty() {
            self.write_block()?;
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_block(&mut self) -> io::Result<()> {
        let codes = std::mem::take(&mut self.pending);
        let bits = pack(&codes, &self.header);
        match self.coder.as_mut().map(|it| it.encode(&codes)) {
            None => self.write(&bits)?,
            Some(words) if 4 * words.len() < bits.len() => {
                let words = [words.len() as u32].into_iter().chain(words);
                let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
                self.write(&bytes)?;
            }
            Some(_) => {
                self.write(&0_u32.to_le_bytes())?;
                self.write(&bits)?;
            }
        }
        self.write_checksum()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.checksum.update(bytes);
        self.out.write_all(bytes)
    }

    fn write_checksum(&mut self) -> io::Result<()> {
        self.out.write_all(&self.checksum.clone().finalize().to_le_bytes())
    }
}
