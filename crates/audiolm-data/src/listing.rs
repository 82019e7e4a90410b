//! What a manifest or a folder says of a file, before anything is looked up or decided.

use std::path::{Path, PathBuf};

use audiolm_audio::{AudioError, probe};

use crate::split::assign;
use crate::{Recording, Split};

/// A file of a corpus with what is known of it so far.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listing {
    pub(crate) path: PathBuf,
    pub(crate) key: String,
    pub(crate) seconds: Option<f64>,
    pub(crate) speaker: Option<String>,
    pub(crate) split: Option<Split>,
    pub(crate) transcript: Option<String>,
    pub(crate) caption: Option<String>,
    pub(crate) set: String,
}

/// Recordings, and the files that are none.
pub(crate) struct Completed {
    pub(crate) recordings: Vec<Recording>,
    pub(crate) unreadable: Vec<AudioError>,
}

impl Listing {
    /// A file of which only the place is known.
    pub(crate) fn new(path: PathBuf, key: String) -> Self {
        let (speaker, transcript, caption, set) = (None, None, None, String::new());
        Self { path, key, seconds: None, speaker, split: None, transcript, caption, set }
    }

    /// The folder, within the corpus, that the file is in; empty at its root.
    pub(crate) fn folder(&self) -> &str {
        self.key.rsplit_once('/').map_or("", |it| it.0)
    }

    fn folder_name(&self) -> Option<&str> {
        self.folder().rsplit('/').next().filter(|it| !it.is_empty())
    }

    fn seconds(&self) -> Result<f64, AudioError> {
        match self.seconds {
            Some(seconds) => Ok(seconds),
            None => probe(&self.path).map(|it| it.seconds),
        }
    }
}

/// Fills in what is missing: lengths by looking into the files, speakers by their folders, splits
/// by a hash. `root` lends its name to files that lie directly in it.
pub(crate) fn complete(root: &Path, listings: Vec<Listing>) -> Completed {
    let (mut readable, mut lengths, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for listing in listings {
        match listing.seconds() {
            Ok(seconds) => {
                lengths.push(seconds);
                readable.push(listing);
            }
            Err(error) => unreadable.push(error),
        }
    }
    let root_name = root.file_name().unwrap_or_default().to_string_lossy();
    let splits = assign(&readable);
    let recordings = readable.into_iter().zip(lengths).zip(splits);
    let recordings = recordings.map(|((listing, seconds), split)| Recording {
        speaker: listing
            .speaker
            .clone()
            .unwrap_or_else(|| listing.folder_name().unwrap_or(&root_name).to_string()),
        path: listing.path,
        key: listing.key,
        seconds,
        split,
        transcript: listing.transcript,
        caption: listing.caption,
        set: listing.set,
    });
    Completed { recordings: recordings.collect(), unreadable }
}
