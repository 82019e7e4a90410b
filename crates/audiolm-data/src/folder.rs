//! A folder of recordings without a manifest.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::DataError;
use crate::listing::Listing;

/// File names that are taken for recordings. What is in them decides how they are read.
const EXTENSIONS: [&str; 8] = ["wav", "flac", "mp3", "ogg", "oga", "aac", "m4a", "wave"];

/// Lists the recordings in a folder and below, sorted by path. Hidden files and folders are passed
/// over. A link that leads nowhere is listed if it has the name of a recording, to be met again
/// as a file that cannot be read.
pub(crate) fn walk(root: &Path) -> Result<Vec<Listing>, DataError> {
    let is_shown = |it: &DirEntry| it.depth() == 0 || !name(it).starts_with('.');
    let entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    let mut listings = Vec::new();
    for entry in entries.filter_entry(is_shown) {
        let path = match entry {
            Ok(entry) if entry.file_type().is_file() => entry.into_path(),
            Ok(_) => continue,
            Err(error) => lost_link(&error).ok_or_else(|| DataError::UnlistedFolder {
                path: error.path().unwrap_or(root).into(),
                source: error.into(),
            })?,
        };
        if is_recording(&path) && !is_hidden(&path) {
            let key = key(root, &path);
            listings.push(Listing::new(path, key));
        }
    }
    Ok(listings)
}

/// The link whose target is not there, if that is what went wrong.
fn lost_link(error: &walkdir::Error) -> Option<PathBuf> {
    let is_missing = error.io_error().is_some_and(|it| it.kind() == ErrorKind::NotFound);
    let path = error.path().filter(|it| is_missing && it.is_symlink());
    path.map(Path::to_path_buf)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it.to_string_lossy().starts_with('.'))
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
