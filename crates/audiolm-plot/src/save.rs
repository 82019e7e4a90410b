//! Files that are there completely, or not at all.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::PlotError;

/// Writes beside `path` first and then renames, so that no reader sees half a picture.
pub(crate) fn save_atomically(bytes: &[u8], path: &Path) -> Result<(), PlotError> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        // The first failure is the one to tell; that nothing is left to remove is no second one.
        let _ = fs::remove_file(&part);
        PlotError::Write { path: path.to_path_buf(), source }
    })
}
