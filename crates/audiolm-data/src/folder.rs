//! A folder of recordings without a manifest.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::DataError;
use crate::listing::Listing;

/// File names that are taken for recordings. What is in them decides how they are read.
const EXTENSIONS: [&str; 8] = ["wav", "flac", "mp3", "ogg", "oga", "aac", "m4a", "wave"];

/// Lists the recordings in a folder and below, sorted by path. Hidden files and folders are passed over.
pub(crate) fn walk(root: &Path) -> Result<Vec<Listing>, DataError> {
    let is_shown = |it: &DirEntry| it.depth() == 0 || !name(it).starts_with('.');
    let entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    let mut listings = Vec::new();
    for entry in entries.filter_entry(is_shown) {
        let entry = entry.map_err(|error| DataError::UnlistedFolder {
            path: error.path().unwrap_or(root).into(),
            source: error.into(),
        })?;
        if entry.file_type().is_file() && is_recording(entry.path()) {
            let key = key(root, entry.path());
            listings.push(Listing::new(entry.into_path(), key));
        }
    }
    Ok(listings)
}

fn name(entry: &DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

fn is_recording(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    EXTENSIONS.contains(&extension.as_str())
}

/// The path below `root`, with `/` between folders on every platform.
fn key(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).iter();
    parts.map(|it| it.to_string_lossy()).collect::<Vec<_>>().join("/")
}
