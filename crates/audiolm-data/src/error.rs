//! What can be wrong with a corpus, a cache of waves or a store of tokens.

use std::fmt;
use std::io;
use std::path::PathBuf;

use audiolm_audio::{AudioError, WriteError};

/// How many unreadable files an error message lists before it only counts.
const LISTED: usize = 5;

/// Why training data could not be opened, cached, stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is no such folder.
    #[error("{}: expected a folder with recordings, found none", .path.display())]
    NoFolder {
        /// The folder asked for.
        path: PathBuf,
    },
    /// A folder could not be listed.
    #[error("{}: the folder cannot be listed", .path.display())]
    UnlistedFolder {
        /// The folder in question.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder or manifest names no recording.
    #[error("{}: expected recordings, found none", .path.display())]
    NoRecordings {
        /// The folder or manifest.
        path: PathBuf,
    },
    /// The manifest could not be read as comma-separated values.
    #[error("{}: not a manifest that can be read", .path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What the CSV reader said.
        source: csv::Error,
    },
    /// The manifest lacks the one column it must have.
    #[error("{}: expected a column `path`, found the columns {}", .path.display(), .found.join(", "))]
    NoPathColumn {
        /// The manifest.
        path: PathBuf,
        /// Its columns.
        found: Vec<String>,
    },
    /// A row of the manifest cannot be used.
    #[error("{}, line {line}: {problem}", .path.display())]
    BadRow {
        /// The manifest.
        path: PathBuf,
        /// Where the row begins; the header is line 1.
        line: u64,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// The manifest has no row of a set that was asked for.
    #[error("{}: expected the set `{wanted}`, found the sets {}", .path.display(), .found.join(", "))]
    UnknownSet {
        /// The manifest.
        path: PathBuf,
        /// The set asked for.
        wanted: String,
        /// The sets it has.
        found: Vec<String>,
    },
    /// Some recordings cannot be read.
    #[error("{} cannot be read: {}", counted(.0.len()), Listed(.0))]
    Unreadable(
        /// Every one of them.
        Vec<AudioError>,
    ),
    /// The cache of waves could not be read.
    #[error("{}: the cache of waves cannot be read; delete it to have it rebuilt", .path.display())]
    UnreadableCache {
        /// The cache file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store of tokens could not be read.
    #[error("{}: the store of tokens cannot be read", .path.display())]
    UnreadableTokens {
        /// The store.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of tokens is not a SafeTensors file, or cannot become one.
    #[error("{}: not a whole SafeTensors file", .path.display())]
    BadSafeTensors {
        /// The store.
        path: PathBuf,
        /// What the SafeTensors reader said.
        source: safetensors::SafeTensorError,
    },
    /// The file of tokens does not hold what a store must hold.
    #[error("{}: damaged store of tokens: {problem}", .path.display())]
    BadTokens {
        /// The store.
        path: PathBuf,
        /// What is wrong with it.
        problem: TokensProblem,
    },
    /// The tokens were made by another tokenizer.
    #[error(
        "{}: these tokens were made by another tokenizer: expected `{expected}`, found `{found}`",
        .path.display()
    )]
    ForeignTokens {
        /// The store.
        path: PathBuf,
        /// Fingerprint of the tokenizer in use.
        expected: String,
        /// Fingerprint of the tokenizer that made the tokens.
        found: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What is wrong with a row of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// The path is empty.
    #[error("the path is empty")]
    EmptyPath,
    /// There is no such file.
    #[error("{}: no such file", .0.display())]
    MissingFile(
        /// The file the row points to.
        PathBuf,
    ),
    /// An earlier row has the same path.
    #[error("`{path}` is also on line {first_line}")]
    Repeated {
        /// The path.
        path: String,
        /// The earlier row.
        first_line: u64,
    },
    /// The duration is no positive number.
    #[error("expected a duration in seconds, found `{0}`")]
    BadSeconds(
        /// What stands there.
        String,
    ),
    /// The split is none of the three.
    #[error("expected the split train, valid or test, found `{0}`")]
    UnknownSplit(
        /// What stands there.
        String,
    ),
}

/// What is wrong with the content of a store of tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokensProblem {
    /// An entry of the metadata is missing or cannot be understood.
    #[error("its metadata has no valid `{0}`")]
    Metadata(
        /// The entry.
        &'static str,
    ),
    /// A tensor is missing, or has another type or rank.
    #[error("it has no tensor `{0}` of the expected type and rank")]
    Tensor(
        /// The tensor.
        &'static str,
    ),
    /// The parts of the file contradict one another.
    #[error("expected {expected} {what}, found {found}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// The count one part states.
        expected: u64,
        /// The count another part gives.
        found: u64,
    },
    /// The tokens are not those that were saved.
    #[error("the checksum of its tokens differs")]
    Checksum,
}

/// So many recordings, in words.
fn counted(recordings: usize) -> String {
    match recordings {
        1 => "1 recording".to_owned(),
        _ => format!("{recordings} recordings"),
    }
}

/// The first few of many errors.
struct Listed<'a>(&'a [AudioError]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().take(LISTED).enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "; " })?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
