//! Files of codes: what is written is read, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::Path;

use audiolm_codec::{
    CodeFile, CodeFileError, CodeFileHeader, CodePacking, CodeReader, CodeWriter, CodecId,
};
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

/// Codes that come and go as those of speech do: a few often, most seldom.
fn likely_file(header: CodeFileHeader) -> CodeFile {
    let n_codes = header.n_frames() * u64::from(header.n_quantizers);
    let codes = (0..n_codes).map(|it| (it * it * 7919 % 9) as u32 * 31);
    CodeFile::new(header, codes.collect())
}

/// What version 1 wrote.
fn version_1(file: &CodeFile) -> Vec<u8> {
    let second = file.to_bytes(CodePacking::Bits);
    let mut bytes = second[..48].to_vec();
    bytes[4] = 1;
    // One block only: what lies between the two checksums.
    bytes.extend(&second[56..second.len() - 4]);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// A tenth of a second, in every way it can be written.
fn small() -> [Vec<u8>; 4] {
    let file = file(header(4, 1000, 1_601));
    let likely = likely_file(header(4, 1000, 32_001)).to_bytes(CodePacking::Adaptive);
    let [bits, adaptive] = PACKINGS.map(|it| file.to_bytes(it));
    [version_1(&file), bits, adaptive, likely]
}

const PACKINGS: [CodePacking; 2] = [CodePacking::Bits, CodePacking::Adaptive];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_written_is_read(
        n_quantizers in 1_u16..20,
        codebook_size in 2_u32..=65_536,
        n_samples in 1_u64..5_000,
    ) {
        let file = file(header(n_quantizers, codebook_size, n_samples));
        for packing in PACKINGS {
            prop_assert_eq!(&CodeFile::from_bytes(&file.to_bytes(packing)), &Ok(file.clone()));
        }
        prop_assert_eq!(CodeFile::from_bytes(&version_1(&file)), Ok(file));
    }

    #[test]
    fn what_is_written_in_pieces_is_the_whole(
        pieces in prop::collection::vec(0_usize..9_000, 1..6),
        n_quantizers in 1_u16..30,
    ) {
        let frames = pieces.iter().sum::<usize>() + 1;
        let file = likely_file(header(n_quantizers, 1024, frames as u64 * 320));
        for packing in PACKINGS {
            let mut writer = CodeWriter::new(Vec::new(), *file.header(), packing).unwrap();
            let mut left = file.codes();
            for piece in pieces.iter().chain([&1]) {
                let (now, later) = left.split_at(piece * usize::from(n_quantizers));
                writer.push(now).unwrap();
                left = later;
            }
            let bytes = writer.finish().unwrap();
            prop_assert_eq!(&bytes, &file.to_bytes(packing));
            let blocks: Vec<_> = CodeReader::new(&bytes[..]).unwrap().map(Result::unwrap).collect();
            prop_assert!(blocks.iter().all(|it| it.len() <= 65_536));
            prop_assert_eq!(blocks.concat(), file.codes());
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(CodeFile::from_bytes(&bytes).is_err());
    }

    #[test]
    fn noise_behind_the_right_beginning_is_refused(
        version in 1_u8..4,
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [&b"ALMC"[..], &[version, 0], &noise].concat();
        prop_assert!(CodeFile::from_bytes(&bytes).is_err());
    }

    #[test]
    fn forged_range_coding_is_no_panic(words in prop::collection::vec(any::<u32>(), 1..40)) {
        let mut bytes = file(header(4, 1000, 64_000)).to_bytes(CodePacking::Adaptive)[..56].to_vec();
        bytes.extend((words.len() as u32).to_le_bytes());
        bytes.extend(words.iter().flat_map(|it| it.to_le_bytes()));
        let summed = [&bytes[..52], &bytes[56..]].concat();
        bytes.extend(crc32fast::hash(&summed).to_le_bytes());
        match CodeFile::from_bytes(&bytes) {
            Ok(found) => prop_assert_eq!(found.codes().len(), 800),
            Err(error) => prop_assert!(matches!(error, CodeFileError::Block { .. }), "{}", error),
        }
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for bytes in small() {
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(CodeFile::from_bytes(&flipped).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn every_truncation_and_every_addition_is_noticed() {
    for bytes in small() {
        for length in 0..bytes.len() {
            let expected = match length < 4 {
                true => CodeFileError::Foreign,
                false => CodeFileError::BreaksOff { found: length as u64 },
            };
            assert_eq!(CodeFile::from_bytes(&bytes[..length]), Err(expected), "{length} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        let refusal = CodeFileError::GoesOn { expected: bytes.len() as u64 };
        assert_eq!(CodeFile::from_bytes(&longer), Err(refusal));
    }
}

#[test]
fn blocks_that_change_places_are_noticed() {
    let bytes = file(header(16, 1024, 3 * 4_096 * 320)).to_bytes(CodePacking::Bits);
    let block = 65_536 * 10 / 8 + 4;
    let mut swapped = bytes.clone();
    swapped[56..56 + block].copy_from_slice(&bytes[56 + block..56 + 2 * block]);
    swapped[56 + block..56 + 2 * block].copy_from_slice(&bytes[56..56 + block]);
    assert_eq!(CodeFile::from_bytes(&bytes).map(|it| it.codes().len()), Ok(3 * 65_536));
    assert_eq!(CodeFile::from_bytes(&swapped), Err(CodeFileError::Checksum));
}

/// A header that promises the most of everything, with a checksum that fits.
fn greedy(packing: u8) -> Vec<u8> {
    let mut bytes = file(header(4, 1000, 1_601)).to_bytes(CodePacking::Bits)[..52].to_vec();
    bytes[6..8].copy_from_slice(&u16::MAX.to_le_bytes());
    bytes[8..12].copy_from_slice(&65_536_u32.to_le_bytes());
    bytes[20..28].copy_from_slice(&u64::MAX.to_le_bytes());
    bytes[48] = packing;
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

#[test]
fn a_header_that_promises_more_than_there_is_takes_no_memory() {
    assert_eq!(CodeFile::from_bytes(&greedy(0)), Err(CodeFileError::BreaksOff { found: 56 }));
    let refusal = CodeFile::from_bytes(&greedy(1)).unwrap_err().to_string();
    assert!(refusal.contains("entries of all codebooks must be at most 4194304"), "{refusal}");
    let refusal = CodeFile::from_bytes(&greedy(2)).unwrap_err().to_string();
    assert!(refusal.contains("the packing must be 0 or 1, found 2"), "{refusal}");
}

#[test]
fn codes_take_the_bits_they_need() {
    let check = |codebook_size, bits| {
        let header = header(3, codebook_size, 3_200);
        assert_eq!(header.bits_per_second(), f64::from(bits) * 3.0 * 50.0);
        let bytes = file(header).to_bytes(CodePacking::Bits).len();
        assert_eq!(bytes, 56 + (10 * 3 * bits as usize).div_ceil(8) + 4);
    };
    check(2, 1_u32);
    check(1_000, 10);
    check(1_024, 10);
    check(1_025, 11);
    check(65_536, 16);
}

#[test]
fn likely_codes_take_fewer_bits_and_unlikely_ones_hardly_more() {
    let length = |file: CodeFile, packing| file.to_bytes(packing).len();
    let header = header(8, 1024, 160_000);
    let [bits, adaptive] = PACKINGS.map(|it| length(likely_file(header), it));
    assert!(adaptive * 2 < bits, "{adaptive} instead of {bits} bytes");
    let [bits, adaptive] = PACKINGS.map(|it| length(file(header), it));
    assert!(adaptive <= bits + 4, "{adaptive} instead of {bits} bytes");
}

/// A file of version 1 that a tone was written to, as `fixtures/code_file/README.md` says.
#[test]
fn files_of_version_1_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/code_file/version_1.alm");
    let bytes = std::fs::read(path).unwrap();
    let file = CodeFile::from_bytes(&bytes).unwrap();
    let CodeFileHeader { n_quantizers, codebook_size, hop_samples, .. } = *file.header();
    assert_eq!((n_quantizers, codebook_size, hop_samples), (4, 1024, 320));
    assert_eq!(version_1(&file), bytes);
    for packing in PACKINGS {
        assert_eq!(CodeFile::from_bytes(&file.to_bytes(packing)), Ok(file.clone()));
    }
}

/// What adaptive packing writes is part of the format.
#[test]
fn adaptive_packing_stays_the_same() {
    let bytes = likely_file(header(4, 1000, 32_001)).to_bytes(CodePacking::Adaptive);
    assert_eq!((bytes.len(), crc32fast::hash(&bytes)), (320, 2_576_889_213));
}

#[test]
fn a_codec_is_known_by_the_hash_of_its_weights() {
    let id = CodecId::from_sha256(SHA256).unwrap();
    assert_eq!(id.to_string(), SHA256[..32]);
    for other in ["", "00", &SHA256[1..], &SHA256.replace('f', "g")] {
        assert_eq!(CodecId::from_sha256(other), None, "{other}");
    }
}
