//! Codes of a clip as a compact file.

use std::fmt;

use crate::bits::{BitReader, BitWriter};

/// What every file begins with.
const MAGIC: [u8; 4] = *b"ALMC";
/// The version that this build writes and reads.
const VERSION: u16 = 1;
/// Bytes before the codes.
const HEADER_BYTES: usize = 48;
/// Bytes after them.
const CHECKSUM_BYTES: usize = 4;
/// Most entries of a codebook.
const LARGEST_CODEBOOK: u32 = 65_536;

/// A clip as codes, with all that is needed to turn them into sound again.
///
/// As a file, it is a header, the codes, and a checksum.
///
/// All numbers are little-endian.
///
/// | Bytes | What |
/// |---|---|
/// | 4 | `ALMC` |
/// | 2 | version: 1 |
/// | 2 | quantizers |
/// | 4 | entries of a codebook |
/// | 4 | samples per second |
/// | 4 | samples of a frame |
/// | 8 | samples of the clip |
/// | 4 | gain that brought the clip to the codec's level, a float |
/// | 16 | the codec: the first half of the SHA-256 of its weights |
/// | n | codes, quantizer by quantizer within frame by frame, lowest bit first |
/// | 4 | CRC-32 of everything before |
///
/// A code takes as many bits as the highest one needs. The last frame is padded with silence, and
/// the last byte with zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeFile {
    header: CodeFileHeader,
    /// `[frame][quantizer]`
    codes: Vec<u32>,
}

/// What a [`CodeFile`] says of its codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CodeFileHeader {
    /// Codes of a frame.
    pub n_quantizers: u16,
    /// Entries of each codebook.
    pub codebook_size: u32,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Samples of a frame.
    pub hop_samples: u32,
    /// Samples of the clip; its frames may reach beyond.
    pub n_samples: u64,
    /// What the clip was multiplied with before it was encoded.
    pub gain: f32,
    /// The codec that made the codes.
    pub codec: CodecId,
}

/// Tells a codec from others by its weights.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodecId([u8; 16]);

/// Why bytes are no [`CodeFile`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CodeFileError {
    /// Something else altogether.
    #[error("not a file of codes")]
    Foreign,
    /// A format of another version.
    #[error("codes of version {found}, this build reads version {VERSION}")]
    Version {
        /// The version in the file.
        found: u16,
    },
    /// A number in the header that describes no clip.
    #[error("damaged: {field} must be {expected}, found {found}")]
    Header {
        /// The number.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Bytes are missing, or there are too many.
    #[error("damaged: expected {expected} bytes, found {found}")]
    Length {
        /// What the header promises.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// Some bits are not those that were written.
    #[error("damaged: the checksum is not that of the file")]
    Checksum,
    /// A code beyond the codebook.
    #[error("damaged: expected codes below {codebook_size}, found {found}")]
    Code {
        /// Entries of the codebook.
        codebook_size: u32,
        /// The code.
        found: u32,
    },
}

impl CodeFile {
    /// Codes `[frame][quantizer]` under a header.
    ///
    /// # Panics
    /// Where the codes are not as many or not as small as the header says, or the header describes
    /// no clip.
    pub fn new(header: CodeFileHeader, codes: Vec<u32>) -> Self {
        header.validate().expect("a header that describes a clip");
        let expected = header.n_codes().expect("a clip that fits memory");
        assert_eq!(codes.len() as u64, expected, "a code for each quantizer of each frame");
        assert!(
            codes.iter().all(|it| *it < header.codebook_size),
            "codes are below the codebook's size"
        );
        Self { header, codes }
    }

    /// What it says of its codes.
    pub fn header(&self) -> &CodeFileHeader {
        &self.header
    }

    /// The codes: `[frame][quantizer]`.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.to_bytes();
        let mut writer = BitWriter::new(self.header.bits_per_code());
        self.codes.iter().for_each(|it| writer.push(*it));
        bytes.extend(writer.finish());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. Memory is taken only for codes that are there.
    ///
    /// # Errors
    /// Where a single bit is not as it was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodeFileError> {
        let header = CodeFileHeader::from_bytes(bytes)?;
        let (expected, found) = (header.file_bytes().unwrap_or(u64::MAX), bytes.len() as u64);
        if expected != found {
            return Err(CodeFileError::Length { expected, found });
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        if crc32fast::hash(content).to_le_bytes() != checksum {
            return Err(CodeFileError::Checksum);
        }
        let n_codes = header.n_codes().unwrap_or(0) as usize;
        let reader = BitReader::new(&content[HEADER_BYTES..], header.bits_per_code());
        let codes: Vec<u32> = reader.take(n_codes).collect();
        match codes.iter().find(|it| **it >= header.codebook_size) {
            Some(&found) => Err(CodeFileError::Code { codebook_size: header.codebook_size, found }),
            None => Ok(Self { header, codes }),
        }
    }
}

impl CodeFileHeader {
    /// Frames of the clip.
    pub fn n_frames(&self) -> u64 {
        self.n_samples.div_ceil(u64::from(self.hop_samples))
    }

    /// Bits per second of the codes.
    pub fn bits_per_second(&self) -> f64 {
        let per_frame = f64::from(self.bits_per_code()) * f64::from(self.n_quantizers);
        per_frame * f64::from(self.sample_rate_hz) / f64::from(self.hop_samples)
    }

    fn bits_per_code(&self) -> u32 {
        u32::BITS - (self.codebook_size - 1).leading_zeros()
    }

    fn n_codes(&self) -> Option<u64> {
        self.n_frames().checked_mul(u64::from(self.n_quantizers))
    }

    fn file_bytes(&self) -> Option<u64> {
        let bits = self.n_codes()?.checked_mul(u64::from(self.bits_per_code()))?;
        bits.div_ceil(8).checked_add((HEADER_BYTES + CHECKSUM_BYTES) as u64)
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.n_quantizers.to_le_bytes());
        bytes.extend(self.codebook_size.to_le_bytes());
        bytes.extend(self.sample_rate_hz.to_le_bytes());
        bytes.extend(self.hop_samples.to_le_bytes());
        bytes.extend(self.n_samples.to_le_bytes());
        bytes.extend(self.gain.to_le_bytes());
        bytes.extend(self.codec.0);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CodeFileError> {
        let mut fields = Fields(bytes);
        if fields.take() != Some(MAGIC) {
            return Err(CodeFileError::Foreign);
        }
        let cut = || CodeFileError::Length {
            expected: (HEADER_BYTES + CHECKSUM_BYTES) as u64,
            found: bytes.len() as u64,
        };
        let found = u16::from_le_bytes(fields.take().ok_or_else(cut)?);
        if found != VERSION {
            return Err(CodeFileError::Version { found });
        }
        let header = Self {
            n_quantizers: u16::from_le_bytes(fields.take().ok_or_else(cut)?),
            codebook_size: u32::from_le_bytes(fields.take().ok_or_else(cut)?),
            sample_rate_hz: u32::from_le_bytes(fields.take().ok_or_else(cut)?),
            hop_samples: u32::from_le_bytes(fields.take().ok_or_else(cut)?),
            n_samples: u64::from_le_bytes(fields.take().ok_or_else(cut)?),
            gain: f32::from_le_bytes(fields.take().ok_or_else(cut)?),
            codec: CodecId(fields.take().ok_or_else(cut)?),
        };
        header.validate()?;
        Ok(header)
    }

    /// Names the first number that describes no clip.
    fn validate(&self) -> Result<(), CodeFileError> {
        let size = self.codebook_size;
        require((2..=LARGEST_CODEBOOK).contains(&size), "codebook size", "2 to 65536", size)?;
        let positive = "at least 1";
        require(self.n_quantizers > 0, "the number of quantizers", positive, self.n_quantizers)?;
        require(self.sample_rate_hz > 0, "the sampling rate", positive, self.sample_rate_hz)?;
        require(
            self.hop_samples > 0,
            "the number of samples in a frame",
            positive,
            self.hop_samples,
        )?;
        require(self.n_samples > 0, "the number of samples", positive, self.n_samples)?;
        let is_gain = self.gain.is_finite() && self.gain > 0.0;
        require(is_gain, "the gain", "finite and above 0", self.gain)
    }
}

fn require(
    holds: bool,
    field: &'static str,
    expected: &'static str,
    found: impl fmt::Display,
) -> Result<(), CodeFileError> {
    match holds {
        true => Ok(()),
        false => Err(CodeFileError::Header { field, expected, found: found.to_string() }),
    }
}

/// Numbers one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

impl CodecId {
    /// The codec whose weights have this SHA-256, in hexadecimal digits; none where it is no such
    /// thing.
    pub fn from_sha256(digits: &str) -> Option<Self> {
        let mut id = [0; 16];
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        (digits.len() == 64).then_some(Self(id))
    }
}

impl fmt::Display for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|it| write!(f, "{it:02x}"))
    }
}

impl fmt::Debug for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodecId({self})")
    }
}
