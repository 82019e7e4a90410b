//! What can be wrong with a file, named.

use std::io;
use std::path::{Path, PathBuf};

/// Characters of a file's own words that an error repeats.
const QUOTED: usize = 80;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct PickleError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is shorter than it says.
    #[error("cut short: {wanted} bytes expected at byte {at}, {left} are left")]
    Truncated {
        /// Where they were expected.
        at: u64,
        /// How many were expected.
        wanted: u64,
        /// How many there are.
        left: u64,
    },
    /// An instruction that pickles of weights do not need, or none at all.
    #[error("byte {at}: no instruction of a pickle that is read here: {found:#04x}")]
    Opcode {
        /// Where it stands.
        at: u64,
        /// The byte.
        found: u8,
    },
    /// A pickle whose instructions make no sense.
    #[error("byte {at}: damaged pickle: expected {expected}")]
    Malformed {
        /// Where reading stopped.
        at: u64,
        /// What was expected there.
        expected: &'static str,
    },
    /// More than is allowed of something.
    #[error("more {of} than the {limit} that are allowed")]
    Limit {
        /// Of what.
        of: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// The container around the pickle is damaged.
    #[error("damaged zip archive: {reason}")]
    Zip {
        /// What the reader said.
        reason: String,
    },
    /// The file is of another kind, or holds something else than what was asked for.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl Fault {
    /// The fault of the file at `path`.
    pub(crate) fn of(self, path: &Path) -> PickleError {
        PickleError { path: path.to_owned(), fault: self }
    }

    pub(crate) fn unexpected(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Unexpected { expected: expected.into(), found: found.into() }
    }
}

/// The beginning of a file's own words, with nothing in it that a terminal would obey.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(QUOTED).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED).is_some() { format!("{shown}…") } else { shown }
}
