//! Configurations as Hugging Face keeps them.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::CodecError;

/// A `config.json` that names the kind of its model.
///
/// Such files hold many keys that say nothing of the model, so unknown ones are let pass; what they
/// leave out has the value that the published model has.
#[derive(Debug)]
pub(crate) struct HubConfig {
    path: PathBuf,
    values: serde_json::Value,
}

/// Refuses the variants of a model that are not implemented.
#[derive(Debug)]
pub(crate) struct Only<'a> {
    pub(crate) path: &'a Path,
    pub(crate) model: &'static str,
}

impl HubConfig {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> Result<Self, CodecError> {
        let unreadable = |reason: String| CodecError::ConfigFile { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|it| unreadable(it.to_string()))?;
        let values = serde_json::from_str(&text).map_err(|it| unreadable(it.to_string()))?;
        Ok(Self { path: path.to_owned(), values })
    }

    /// Where it was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The kind of model, where the file names one.
    pub(crate) fn model_type(&self) -> Option<&str> {
        self.values.get("model_type")?.as_str()
    }

    /// The values as what a model calls them.
    pub(crate) fn parse<C: DeserializeOwned>(&self) -> Result<C, CodecError> {
        C::deserialize(&self.values).map_err(|it| CodecError::ConfigFile {
            path: self.path.clone(),
            reason: it.to_string(),
        })
    }
}

impl Only<'_> {
    /// Refuses any value but one.
    pub(crate) fn value<T: PartialEq + Debug>(
        &self,
        field: &'static str,
        expected: T,
        found: T,
    ) -> Result<(), CodecError> {
        match expected == found {
            true => Ok(()),
            false => Err(self.refusal(field, format!("{expected:?}"), format!("{found:?}"))),
        }
    }

    /// Refuses a number that describes no model.
    pub(crate) fn positive(&self, field: &'static str, found: usize) -> Result<(), CodecError> {
        match found {
            0 => Err(self.refusal(field, "at least 1".to_owned(), "0".to_owned())),
            _ => Ok(()),
        }
    }

    /// Refuses strides that make no hop.
    pub(crate) fn strides(&self, field: &'static str, found: &[usize]) -> Result<(), CodecError> {
        match found.is_empty() || found.contains(&0) {
            true => {
                let expected = "one or more, each at least 1".to_owned();
                Err(self.refusal(field, expected, format!("{found:?}")))
            }
            false => Ok(()),
        }
    }

    /// Refuses a codebook whose entries no code can name.
    pub(crate) fn codebook_size(&self, found: usize) -> Result<(), CodecError> {
        match (2..=65_536).contains(&found) {
            true => Ok(()),
            false => {
                let expected = "between 2 and 65536".to_owned();
                Err(self.refusal("codebook_size", expected, found.to_string()))
            }
        }
    }

    /// A refusal in general.
    pub(crate) fn refusal(
        &self,
        field: &'static str,
        expected: String,
        found: String,
    ) -> CodecError {
        let (path, model) = (self.path.to_owned(), self.model);
        CodecError::Unsupported { path, model, field, expected, found }
    }
}
