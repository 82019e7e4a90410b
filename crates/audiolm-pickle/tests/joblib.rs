//! Files that joblib itself has written: see `fixtures/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use audiolm_pickle::{Element, JoblibFile, Limits, PickleError};
use support::fixture;

/// The centers as numpy prints them.
fn expected() -> Vec<f64> {
    let text = std::fs::read_to_string(fixture("k_means.txt")).unwrap();
    text.split_whitespace().map(|it| it.parse().unwrap()).collect()
}

fn centers(name: &str) -> Result<Vec<f64>, PickleError> {
    let array = JoblibFile::open(&fixture(name))?.cluster_centers()?;
    assert_eq!((array.element(), array.shape()), (Element::F64, &[4, 3][..]));
    let bytes = array.read().unwrap();
    Ok(bytes.chunks_exact(8).map(|it| f64::from_le_bytes(it.try_into().unwrap())).collect())
}

#[track_caller]
fn check(name: &str) {
    assert_eq!(centers(name).unwrap(), expected());
}

#[track_caller]
fn check_refused(name: &str, expected: &str) {
    let refusal = centers(name).unwrap_err().to_string();
    assert!(refusal.contains(name) && refusal.contains(expected), "{refusal}");
}

#[test]
fn a_plain_file_is_read() {
    check("k_means.joblib");
}
#[test]
fn an_older_protocol_is_read() {
    check("k_means.protocol_2.joblib");
}
#[test]
fn arrays_without_padding_are_read() {
    check("k_means.unaligned.joblib");
}
#[test]
fn a_file_compressed_by_zlib_is_read() {
    check("k_means.zlib.joblib");
}
#[test]
fn a_file_compressed_by_gzip_is_read() {
    check("k_means.gzip.joblib");
}
#[test]
fn centers_in_the_order_of_fortran_beside_an_array_of_objects_are_read() {
    check("k_means.objects.joblib");
}
#[test]
fn mini_batch_k_means_at_32_bits_is_read() {
    let file = JoblibFile::open(&fixture("mini_batch.joblib")).unwrap();
    let centers = file.cluster_centers().unwrap();
    assert_eq!((centers.element(), centers.shape()), (Element::F32, &[4, 3][..]));
    assert_eq!(centers.read().unwrap().len(), 48);
}
#[test]
fn another_compression_is_named() {
    check_refused("k_means.xz.joblib", "compressed by xz");
}
#[test]
fn what_is_no_k_means_is_named() {
    check_refused("no_model.joblib", "expected KMeans or MiniBatchKMeans of scikit-learn");
    check_refused("zip.pt", "expected a file of joblib");
}
#[test]
fn what_is_inflated_is_limited() {
    let limits = Limits { inflated: 100, ..Limits::default() };
    for name in ["k_means.zlib.joblib", "k_means.gzip.joblib"] {
        let refusal = JoblibFile::open_within(&fixture(name), &limits).unwrap_err().to_string();
        assert!(refusal.contains("more inflated bytes than the 100"), "{refusal}");
    }
}
