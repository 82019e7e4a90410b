//! What a file of codes says of them.

use std::fmt;

use super::codec_id::CodecId;
use super::source::Source;
use crate::CodeFileError;

/// Most entries of a codebook.
const LARGEST_CODEBOOK: u32 = 65_536;

/// What a [`CodeFile`](crate::CodeFile) says of its codes.
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

impl CodeFileHeader {
    /// Frames of the clip.
    pub fn n_frames(&self) -> u64 {
        self.n_samples.div_ceil(u64::from(self.hop_samples))
    }

    /// Length of the clip.
    pub fn seconds(&self) -> f64 {
        self.n_samples as f64 / f64::from(self.sample_rate_hz)
    }

    /// Bits per second of the codes, each packed as bits.
    pub fn bits_per_second(&self) -> f64 {
        let per_frame = f64::from(self.bits_per_code()) * f64::from(self.n_quantizers);
        per_frame * f64::from(self.sample_rate_hz) / f64::from(self.hop_samples)
    }

    pub(super) fn bits_per_code(&self) -> u32 {
        u32::BITS - (self.codebook_size - 1).leading_zeros()
    }

    pub(super) fn n_codes(&self) -> Option<u64> {
        self.n_frames().checked_mul(u64::from(self.n_quantizers))
    }

    /// What follows the version.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.n_quantizers.to_le_bytes());
        bytes.extend(self.codebook_size.to_le_bytes());
        bytes.extend(self.sample_rate_hz.to_le_bytes());
        bytes.extend(self.hop_samples.to_le_bytes());
        bytes.extend(self.n_samples.to_le_bytes());
        bytes.extend(self.gain.to_le_bytes());
        bytes.extend(self.codec.0);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, whatever it says.
    pub(super) fn read(source: &mut Source<impl std::io::Read>) -> Result<Self, CodeFileError> {
        Ok(Self {
            n_quantizers: u16::from_le_bytes(source.array()?),
            codebook_size: u32::from_le_bytes(source.array()?),
            sample_rate_hz: u32::from_le_bytes(source.array()?),
            hop_samples: u32::from_le_bytes(source.array()?),
            n_samples: u64::from_le_bytes(source.array()?),
            gain: f32::from_le_bytes(source.array()?),
            codec: CodecId(source.array()?),
        })
    }

    /// Names the first number that describes no clip.
    pub(super) fn validate(&self) -> Result<(), CodeFileError> {
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

pub(super) fn require(
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
