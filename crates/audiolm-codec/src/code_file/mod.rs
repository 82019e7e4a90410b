//! Codes of a clip as a compact file.

mod adaptive_model;
mod bits;
mod block;
mod codec_id;
mod entropy_coder;
mod error;
mod header;
mod packing;
mod reader;
mod source;
mod writer;

pub use codec_id::CodecId;
pub use error::CodeFileError;
pub use header::CodeFileHeader;
pub use packing::CodePacking;
pub use reader::CodeReader;
pub use writer::CodeWriter;

/// A clip as codes, with all that is needed to turn them into sound again.
///
/// It is the whole in memory of what a [`CodeWriter`] writes and a [`CodeReader`] reads block by
/// block. As a file, it is a header and blocks of codes, each with a checksum.
///
/// All numbers are little-endian.
///
/// | Bytes | What |
/// |---|---|
/// | 4 | `ALMC` |
/// | 2 | version: 2 |
/// | 2 | quantizers |
/// | 4 | entries of a codebook |
/// | 4 | samples per second |
/// | 4 | samples of a frame |
/// | 8 | samples of the clip |
/// | 4 | gain that brought the clip to the codec's level, a float |
/// | 16 | the codec: the first half of the SHA-256 of its weights |
/// | 1 | how codes are packed: 0 as bits, 1 adaptively |
/// | 3 | zeros |
/// | 4 | checksum |
/// | n | blocks |
///
/// A block holds the codes of 65536 / quantizers frames, rounded down to a multiple of 8, but not
/// below 8; the last one holds the rest. Codes are quantizer by quantizer within frame by frame.
///
/// | Bytes | What |
/// |---|---|
/// | 4 | where packed adaptively only: words of range coding, 0 for none |
/// | n | those words of 4 bytes; or, without any, the codes as bits |
/// | 4 | checksum |
///
/// As bits, a code takes as many as the highest one needs, lowest bit first; the last byte is
/// filled up with zeros. The last frame is padded with silence. A checksum is the CRC-32 of
/// everything before it but the other checksums. How the words come about is written at
/// [`CodePacking::Adaptive`].
///
/// Version 1, which is read but no longer written, has the header up to the codec, all codes as
/// bits, and one checksum.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeFile {
    header: CodeFileHeader,
    /// `[frame][quantizer]`
    codes: Vec<u32>,
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
    pub fn to_bytes(&self, packing: CodePacking) -> Vec<u8> {
        let write = || {
            let mut writer = CodeWriter::new(Vec::new(), self.header, packing)?;
            writer.push(&self.codes)?;
            writer.finish()
        };
        write().expect("memory takes what is written")
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. Memory is taken only for codes that are
    /// there.
    ///
    /// # Errors
    /// Where a single bit is not as it was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodeFileError> {
        let mut reader = CodeReader::new(bytes)?;
        let mut codes = Vec::new();
        while let Some(block) = reader.next_block()? {
            codes.extend(block);
        }
        Ok(Self { header: *reader.header(), codes })
    }
}
