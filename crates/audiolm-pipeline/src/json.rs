//! JSON files, read and written with errors that name them.

use std::io::Write;
use std::path::Path;

use audiolm_audio::{WriteError, write_whole};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::BundleError;
use crate::files::read;

/// Reads one value.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<T, BundleError> {
    let malformed = |source| BundleError::Malformed { path: path.to_owned(), source };
    serde_json::from_slice(&read(path)?).map_err(malformed)
}

/// Writes one value, whole or not at all.
pub(crate) fn save<T: Serialize>(value: &T, path: &Path) -> Result<(), BundleError> {
    let malformed = |source| BundleError::Malformed { path: path.to_owned(), source };
    let mut text = serde_json::to_vec_pretty(value).map_err(malformed)?;
    text.push(b'\n');
    let failed = |source| WriteError::Failed { path: path.to_owned(), source };
    write_whole(path, |out| Ok(out.write_all(&text).map_err(failed)?))
}
