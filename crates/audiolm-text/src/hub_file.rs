//! JSON files as Hugging Face keeps them, with refusals that name file and field.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::TextError;

/// A JSON file. Such files hold many keys that are of no concern here.
#[derive(Debug)]
pub(crate) struct HubFile {
    path: PathBuf,
    what: &'static str,
    pub(crate) values: Value,
}

impl HubFile {
    /// Reads a file that is to be `what`.
    pub(crate) fn load(path: &Path, what: &'static str) -> Result<Self, TextError> {
        let text = read(path)?;
        let values = serde_json::from_slice(&text).map_err(|it| malformed(path, what, it))?;
        Ok(Self { path: path.to_owned(), what, values })
    }

    /// Where it was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The values as what a model calls them.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, TextError> {
        T::deserialize(&self.values).map_err(|it| malformed(&self.path, self.what, it))
    }

    /// Refuses a number that describes no model.
    pub(crate) fn between(
        &self,
        field: &'static str,
        [least, most]: [usize; 2],
        found: usize,
    ) -> Result<(), TextError> {
        match (least..=most).contains(&found) {
            true => Ok(()),
            false => Err(self.unsupported(field, &format!("{least} to {most}"), found.to_string())),
        }
    }

    /// A refusal.
    pub(crate) fn unsupported(
        &self,
        field: &'static str,
        expected: &str,
        found: String,
    ) -> TextError {
        TextError::Unsupported {
            path: self.path.clone(),
            field,
            expected: expected.to_owned(),
            found,
        }
    }
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TextError> {
    std::fs::read(path).map_err(|source| TextError::Io { path: path.to_owned(), source })
}

/// A file that is not what it should be.
pub(crate) fn malformed(path: &Path, what: &'static str, reason: impl ToString) -> TextError {
    TextError::Malformed { path: path.to_owned(), what, reason: reason.to_string() }
}
