//! Opens bytes as whatever they may be, and reads everything in them.
//!
//!     mkdir corpus && cp ../tests/fixtures/*.{pt,bin,joblib,pkl} corpus
//!     cargo +nightly fuzz run read_everything corpus -- -max_total_time=600

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|bytes: &[u8]| support::read_everything(bytes));
