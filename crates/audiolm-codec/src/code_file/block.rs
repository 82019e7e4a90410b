//! The codes that are written and read at once.

use super::bits::{BitReader, BitWriter};
use crate::{CodeFileError, CodeFileHeader};

/// Codes of a block, about.
const CODES_OF_BLOCK: usize = 65_536;
/// Whole frames of as many codes fill whole bytes, however many bits a code takes.
const FRAMES_OF_WHOLE_BYTES: usize = 8;

/// Codes of each block but the last.
pub(super) fn full_block(header: &CodeFileHeader) -> usize {
    let n_quantizers = usize::from(header.n_quantizers);
    let frames = CODES_OF_BLOCK / n_quantizers / FRAMES_OF_WHOLE_BYTES * FRAMES_OF_WHOLE_BYTES;
    frames.max(FRAMES_OF_WHOLE_BYTES) * n_quantizers
}

/// Bytes of so many codes packed as bits.
pub(super) fn bytes_of(n_codes: usize, header: &CodeFileHeader) -> usize {
    (n_codes * header.bits_per_code() as usize).div_ceil(8)
}

/// Codes packed as bits.
pub(super) fn pack(codes: &[u32], header: &CodeFileHeader) -> Vec<u8> {
    let mut writer = BitWriter::new(header.bits_per_code());
    codes.iter().for_each(|it| writer.push(*it));
    writer.finish()
}

/// The reverse of [`pack`].
pub(super) fn unpack(
    bytes: &[u8],
    n_codes: usize,
    header: &CodeFileHeader,
) -> Result<Vec<u32>, CodeFileError> {
    let codebook_size = header.codebook_size;
    let codes = BitReader::new(bytes, header.bits_per_code()).take(n_codes);
    codes
        .map(|found| match found < codebook_size {
            true => Ok(found),
            false => Err(CodeFileError::Code { codebook_size, found }),
        })
        .collect()
}
