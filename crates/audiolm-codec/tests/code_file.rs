//! Files of codes: what is written is read, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_codec::{CodeFile, CodeFileError, CodeFileHeader, CodecId};
use proptest::prelude::*;

const SHA256: &str = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

fn header(n_quantizers: u16, codebook_size: u32, n_samples: u64) -> CodeFileHeader {
    CodeFileHeader {
        n_quantizers,
        codebook_size,
        sample_rate_hz: 16_000,
        hop_samples: 320,
        n_samples,
        gain: 0.5,
        codec: CodecId::from_sha256(SHA256).unwrap(),
    }
}

/// Codes that use every bit.
fn file(header: CodeFileHeader) -> CodeFile {
    let n_codes = header.n_frames() * u64::from(header.n_quantizers);
    let size = u64::from(header.codebook_size);
    let codes = (0..n_codes).map(|it| ((size - 1).wrapping_sub(it * 7919) % size) as u32);
    CodeFile::new(header, codes.collect())
}

/// A tenth of a second.
fn small() -> Vec<u8> {
    file(header(4, 1000, 1_601)).to_bytes()
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        n_quantizers in 1_u16..20,
        codebook_size in 2_u32..=65_536,
        n_samples in 1_u64..5_000,
    ) {
        let file = file(header(n_quantizers, codebook_size, n_samples));
        prop_assert_eq!(CodeFile::from_bytes(&file.to_bytes()), Ok(file));
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(CodeFile::from_bytes(&bytes).is_err());
    }

    #[test]
    fn noise_behind_the_right_beginning_is_refused(
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [&b"ALMC\x01\x00"[..], &noise].concat();
        prop_assert!(CodeFile::from_bytes(&bytes).is_err());
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = small();
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(CodeFile::from_bytes(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn every_truncation_and_every_addition_is_noticed() {
    let bytes = small();
    for length in 0..bytes.len() {
        assert!(CodeFile::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    let expected = bytes.len() as u64;
    let refusal = CodeFileError::Length { expected, found: expected + 1 };
    assert_eq!(CodeFile::from_bytes(&longer), Err(refusal));
}

#[test]
fn a_header_that_promises_more_than_there_is_takes_no_memory() {
    let mut bytes = small();
    bytes[20..28].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(CodeFile::from_bytes(&bytes), Err(CodeFileError::Length { .. })));
}

#[test]
fn codes_take_the_bits_they_need() {
    let check = |codebook_size, bits| {
        let header = header(3, codebook_size, 3_200);
        assert_eq!(header.bits_per_second(), f64::from(bits) * 3.0 * 50.0);
        let bytes = file(header).to_bytes().len();
        assert_eq!(bytes, 48 + (10 * 3 * bits as usize).div_ceil(8) + 4);
    };
    check(2, 1_u32);
    check(1_000, 10);
    check(1_024, 10);
    check(1_025, 11);
    check(65_536, 16);
}

#[test]
fn a_codec_is_known_by_the_hash_of_its_weights() {
    let id = CodecId::from_sha256(SHA256).unwrap();
    assert_eq!(id.to_string(), SHA256[..32]);
    for other in ["", "00", &SHA256[1..], &SHA256.replace('f', "g")] {
        assert_eq!(CodecId::from_sha256(other), None, "{other}");
    }
}
