//! What the tests of files share.

#![allow(dead_code, reason = "each file of tests needs a part of it")]

use std::path::{Path, PathBuf};

use audiolm_pickle::{Bytes, JoblibFile, Limits, TorchFile, Value};

/// The files that `make_files.py` writes.
pub const FILES: [&str; 12] = [
    "zip.pt",
    "zip_protocol_4.pt",
    "legacy.pt",
    "pytorch_model.bin",
    "k_means.joblib",
    "k_means.protocol_2.joblib",
    "k_means.zlib.joblib",
    "k_means.gzip.joblib",
    "k_means.xz.joblib",
    "k_means.unaligned.joblib",
    "k_means.objects.joblib",
    "mini_batch.joblib",
];

/// Values that are looked at in one file.
const MOST_VALUES: usize = 2000;
/// Values in one another that are looked into.
const DEEPEST: usize = 8;

/// A file that `make_files.py` has written.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Opens the bytes as whatever they may be, and reads everything in them.
pub fn read_everything(bytes: &[u8]) {
    let (path, limits) = (Path::new("hostile"), Limits::default());
    let bytes = || Bytes::of_memory(bytes.to_vec());
    if let Ok(file) = TorchFile::of_bytes(bytes(), path, &limits) {
        let mut left = MOST_VALUES;
        walk(file.root(), DEEPEST, &mut left, &mut |value| {
            if let Ok(Some(array)) = file.tensor(value) {
                drop(array.read());
            }
            drop(file.tensors(value));
        });
    }
    if let Ok(file) = JoblibFile::of_bytes(bytes(), path, &limits) {
        drop(file.cluster_centers().map(|it| it.read()));
        let mut left = MOST_VALUES;
        walk(file.root(), DEEPEST, &mut left, &mut |value| {
            drop(value.as_array().map(|it| it.read()));
        });
    }
}

/// Shows a value and those within it.
fn walk(value: Value<'_>, depth: usize, left: &mut usize, look: &mut dyn FnMut(Value<'_>)) {
    if depth == 0 || *left == 0 {
        return;
    }
    *left -= 1;
    look(value);
    let _ = (value.describe(), value.callee(), value.argument(0), value.get("model"));
    let items = value.items().into_iter().flatten();
    let entries = value.entries().into_iter().flatten().map(|it| it.1);
    for inner in items.chain(entries).chain(value.state()) {
        walk(inner, depth - 1, left, look);
    }
}
