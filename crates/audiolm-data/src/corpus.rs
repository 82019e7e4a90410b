//! A folder of recordings, with or without a manifest.

use std::path::{Path, PathBuf};

use audiolm_audio::AudioError;

use crate::listing::complete;
use crate::{DataError, Recording, Split, folder, manifest};

/// The manifest that is looked for in the folder of a corpus.
const MANIFEST: &str = "manifest.csv";

/// Which recordings of a folder make up a corpus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorpusOptions {
    /// The sets to keep, by the column `set` of the manifest; all when empty.
    pub sets: Vec<String>,
    /// A manifest other than the `manifest.csv` of the folder. Its paths are relative to the folder.
    pub manifest: Option<PathBuf>,
    /// What to do about files that cannot be read.
    pub on_unreadable: OnUnreadable,
}

/// What to do about files that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnUnreadable {
    /// Refuse the corpus, naming them.
    #[default]
    Fail,
    /// Leave them out, and list them in [`Corpus::skipped`].
    Skip,
}

/// Recordings to train or evaluate on.
#[derive(Debug)]
pub struct Corpus {
    recordings: Vec<Recording>,
    skipped: Vec<AudioError>,
}

impl Corpus {
    /// Opens a folder of recordings.
    ///
    /// With a manifest, its rows count: the column `path`, and where present `seconds`, `split`,
    /// `speaker`, `transcript`, `caption` and `set`; other columns are ignored. Without one, all recordings
    /// in the folder and below it count, sorted by path. What a manifest does not say is found out:
    /// the length from the header of the file, the speaker from the name of its folder, and the split
    /// from a hash of its folder, so that about 5 % of the folders are for validation (of the
    /// files, where all are in one folder).
    ///
    /// Only files without a stated length are looked into.
    ///
    /// # Errors
    /// When the folder or manifest is missing, empty or malformed, when a row points to no file,
    /// and on unreadable files unless they are to be skipped.
    pub fn open(root: impl AsRef<Path>, options: &CorpusOptions) -> Result<Self, DataError> {
        let root = root.as_ref();
        if !root.is_dir() {
            return Err(DataError::NoFolder { path: root.into() });
        }
        let manifest_path = options.manifest.clone().unwrap_or_else(|| root.join(MANIFEST));
        let has_manifest = options.manifest.is_some() || manifest_path.is_file();
        let (listings, origin) = if has_manifest || !options.sets.is_empty() {
            (manifest::read(root, &manifest_path, &options.sets)?, manifest_path.as_path())
        } else {
            (folder::walk(root)?, root)
        };
        let completed = complete(root, listings);
        match options.on_unreadable {
            OnUnreadable::Fail if !completed.unreadable.is_empty() => {
                Err(DataError::Unreadable(completed.unreadable))
            }
            _ if completed.recordings.is_empty() => {
                Err(DataError::NoRecordings { path: origin.into() })
            }
            _ => Ok(Self { recordings: completed.recordings, skipped: completed.unreadable }),
        }
    }

    /// All recordings, in the order of the manifest or of their paths.
    pub fn recordings(&self) -> &[Recording] {
        &self.recordings
    }

    /// The recordings of one split.
    pub fn of(&self, split: Split) -> Vec<&Recording> {
        self.recordings.iter().filter(|it| it.split == split).collect()
    }

    /// Length of one split in seconds.
    pub fn seconds_of(&self, split: Split) -> f64 {
        self.of(split).iter().map(|it| it.seconds).sum()
    }

    /// Why the files that were left out cannot be read.
    pub fn skipped(&self) -> &[AudioError] {
        &self.skipped
    }
}
