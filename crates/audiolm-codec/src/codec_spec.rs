//! What the rest of a system has to know of a codec.

use std::fmt;

/// The kinds of codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecKind {
    /// Ours, trained here (arXiv 2107.03312).
    SoundStream,
    /// Published, 24 kHz (arXiv 2210.13438).
    EnCodec,
    /// Published, 16, 24 and 44.1 kHz (arXiv 2306.06546).
    Dac,
    /// Published, 24 kHz (arXiv 2410.00037).
    Mimi,
}

/// What goes into a codec and what comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecSpec {
    /// Which codec it is.
    pub kind: CodecKind,
    /// Samples per second of the waves it takes and makes.
    pub sample_rate_hz: usize,
    /// Samples of one frame.
    pub hop_samples: usize,
    /// Codes of one frame.
    pub n_quantizers: usize,
    /// Entries of each codebook.
    pub codebook_size: usize,
}

impl CodecKind {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::SoundStream => "SoundStream",
            Self::EnCodec => "EnCodec",
            Self::Dac => "DAC",
            Self::Mimi => "Mimi",
        }
    }
}

impl CodecSpec {
    /// Frames per second.
    pub fn frames_per_second(&self) -> f64 {
        self.sample_rate_hz as f64 / self.hop_samples as f64
    }
}

impl fmt::Display for CodecKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
