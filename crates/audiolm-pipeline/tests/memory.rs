//! Memory while sound is made does not grow with it. The only test of its binary: it counts what the
//! whole process takes.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_pipeline::{AudioLm, GenerateOptions, testing};
use burn::prelude::*;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What the history of tokens may take, four bytes each, when its place is doubled.
const BYTES_PER_FRAME: usize = 3 * 4 * (1 + testing::N_QUANTIZERS);

#[test]
fn memory_grows_by_the_tokens_alone() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::default();
    testing::tiny_bundle(&folder.path().join("bundle"), &device).unwrap();
    let lm = AudioLm::load(folder.path().join("bundle"), &device).unwrap();
    let options = GenerateOptions { seconds: 60.0, ..Default::default() };
    let mut blocks = lm.generate_stream(&options).unwrap();
    let mut peak_of = |n_blocks: usize| {
        ALLOCATOR.reset_peak_usage();
        blocks.by_ref().take(n_blocks).for_each(|it| drop(it.unwrap()));
        ALLOCATOR.peak_usage()
    };
    let (first, last) = (peak_of(50), peak_of(usize::MAX));
    let most = first + 3000 * BYTES_PER_FRAME;
    assert!(last <= most, "{first} bytes in the first ten seconds, then {last}");
}
