//! Configurations as Hugging Face keeps them.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::CodecError;

/// Larger numbers than any layer or rate has.
const MOST: usize = 1 << 20;

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
    pub(crate) fn between(
        &self,
        field: &'static str,
        bounds: RangeInclusive<usize>,
        found: usize,
    ) -> Result<(), CodecError> {
        match bounds.contains(&found) {
            true => Ok(()),
            false => {
                let expected = format!("between {} and {}", bounds.start(), bounds.end());
                Err(self.refusal(field, expected, found.to_string()))
            }
        }
    }

    /// Refuses sizes that no layer has.
    pub(crate) fn sizes(&self, fields: &[(&'static str, usize)]) -> Result<(), CodecError> {
        fields.iter().try_for_each(|(field, found)| self.between(field, 1..=MOST, *found))
    }

    /// Refuses strides that make no hop.
    pub(crate) fn strides(&self, field: &'static str, found: &[usize]) -> Result<(), CodecError> {
        let is_hop = (1..=8).contains(&found.len()) && found.iter().all(|it| (1..=64).contains(it));
        match is_hop {
            true => Ok(()),
            false => {
                let expected = "one to eight, each between 1 and 64".to_owned();
                Err(self.refusal(field, expected, format!("{found:?}")))
            }
        }
    }

    /// Refuses a codebook whose entries no code can name.
    pub(crate) fn codebook_size(&self, found: usize) -> Result<(), CodecError> {
        self.between("codebook_size", 2..=65_536, found)
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
