//! How much a file can make us allocate: no more than `Limits` documents.
//!
//! One test alone, since whatever else runs in this process would be counted too.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::path::Path;

use audiolm_pickle::{Bytes, JoblibFile, Limits, TorchFile};
use peak_alloc::PeakAlloc;
use support::{FILES, fixture, read_everything};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What opening may take for each byte of a file, and beside that.
const PER_BYTE: usize = 256;
const BESIDE: usize = 256 << 10;

/// Bytes that are allocated at once, at most, while something is done.
fn peak(work: impl FnOnce()) -> usize {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    work();
    ALLOCATOR.peak_usage() - before
}

/// Opens the bytes as whatever they may be, and says how much that takes beside them.
fn peak_of_opening(bytes: &[u8], limits: &Limits) -> usize {
    let path = Path::new("hostile");
    let (one, other) = (Bytes::of_memory(bytes.to_vec()), Bytes::of_memory(bytes.to_vec()));
    let torch = peak(|| drop(TorchFile::of_bytes(one, path, limits)));
    let joblib = peak(|| drop(JoblibFile::of_bytes(other, path, limits)));
    torch.max(joblib)
}

/// A file in the form before PyTorch 1.6 whose object is this program.
fn legacy(program: &[u8]) -> Vec<u8> {
    let whole = std::fs::read(fixture("legacy.pt")).unwrap();
    // The header is three pickles, of which the last ends before the object's first instruction.
    let header = whole.windows(3).enumerate().filter(|it| it.1 == b"\x80\x02}").nth(1).unwrap().0;
    [&whole[..header], b"\x80\x02", program].concat()
}

/// Programs that make as much as they can of few bytes.
fn bombs() -> Vec<Vec<u8>> {
    const N: usize = 20_000;
    let memo = (0..N as u32).flat_map(|it| [&b"r"[..], &it.to_le_bytes()].concat());
    vec![
        vec![b']'; N],
        vec![b'}'; N],
        vec![b')'; N],
        b"]]a".repeat(N),
        b"}NNs".repeat(N),
        b"]N\x85".repeat(N),
        [b"N", &b"2"[..]].concat().repeat(N),
        [&b"]"[..], &b"2\x86".repeat(N)].concat(),
        [&b"N"[..], &b"\x94".repeat(N)].concat(),
        b"N".iter().copied().chain(memo).collect(),
        [&b"cos\nsystem\n"[..], &b")R".repeat(N)].concat(),
        [&b"cos\nsystem\n"[..], &b")R}b".repeat(N)].concat(),
        b"cs\ns\n".repeat(N),
        b"\x8c\x00".repeat(N),
        b"NQ".repeat(N),
        vec![b'('; N],
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
        b"\x8b\xff\xff\xff\x7f".to_vec(),
    ]
}

/// A dict in which many names stand for one tensor of many axes.
fn names_of_one_tensor(n: usize) -> Vec<u8> {
    let storage = b"((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x01tQK\x00";
    let axes = [b"(", &b"K\x01".repeat(32)[..], b"t"].concat();
    let call = b"ctorch._utils\n_rebuild_tensor_v2\n";
    let tensor = [&call[..], storage, &axes, &axes, b"tRq\x010}("].concat();
    let names = (0..n as u32)
        .flat_map(|it| [&b"U\x08"[..], format!("{it:08}").as_bytes(), b"h\x01"].concat());
    let object: Vec<u8> = tensor.into_iter().chain(names).chain(*b"u.").collect();
    let storages = [&b"\x80\x02]U\x010a."[..], &1u64.to_le_bytes(), &[0; 4]].concat();
    [legacy(&object), storages].concat()
}

/// Zeros, as zlib writes them.
fn inflating() -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 8 << 20]).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn no_file_makes_us_allocate_more_than_is_documented() {
    let limits = Limits::default();
    for program in bombs() {
        for file in [legacy(&program), [b"\x80\x04", &program[..]].concat()] {
            let (found, allowed) =
                (peak_of_opening(&file, &limits), PER_BYTE * file.len() + BESIDE);
            let begin = &program[..program.len().min(16)];
            assert!(found <= allowed, "{begin:?}…: {found} of {allowed} bytes");
            let small = Limits { memory: 1 << 18, ..limits };
            let (found, allowed) = (peak_of_opening(&file, &small), 2 * small.memory + BESIDE);
            assert!(found <= allowed, "{begin:?}… with little: {found} of {allowed} bytes");
        }
    }
    for name in FILES {
        let whole = std::fs::read(fixture(name)).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let allowed = PER_BYTE * whole.len() + BESIDE;
            let found = peak_of_opening(&changed, &limits);
            assert!(found <= allowed, "{name}, byte {at}: {found} of {allowed} bytes");
            let found = peak(|| read_everything(&changed));
            assert!(found <= allowed, "{name}, byte {at}, read: {found} of {allowed} bytes");
        }
    }
    for n in [1000, 50_000] {
        let bytes = names_of_one_tensor(n);
        let opened = |limits: &Limits| {
            let bytes = Bytes::of_memory(bytes.clone());
            TorchFile::of_bytes(bytes, Path::new("many"), limits).unwrap()
        };
        let file = opened(&limits);
        let found = peak(|| assert_eq!(file.tensors(file.root()).unwrap().len(), n));
        let allowed = PER_BYTE * bytes.len() + BESIDE;
        assert!(found <= allowed, "{n} names: {found} of {allowed} bytes");
        let small = Limits { memory: 1 << 24, ..limits };
        let file = opened(&small);
        let found = peak(|| drop(file.tensors(file.root())));
        assert!(found <= small.memory, "{n} names with little: {found} bytes");
    }
    let small = Limits { inflated: 1 << 20, ..limits };
    let found = peak_of_opening(&inflating(), &small);
    assert!(found <= 2 * (1 << 20) + BESIDE, "inflated: {found} bytes");
}
