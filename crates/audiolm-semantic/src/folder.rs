//! The files of an encoder's or a tokenizer's folder.

use std::path::Path;

use crate::SemanticError;

/// What the weights are.
pub(crate) const CONFIG_FILE: &str = "config.json";
/// The weights.
pub(crate) const WEIGHTS_FILE: &str = "model.safetensors";
/// What a published encoder does to waves first.
pub(crate) const PREPROCESSOR_FILE: &str = "preprocessor_config.json";

/// The values of a file.
pub(crate) fn json(path: &Path) -> Result<serde_json::Value, SemanticError> {
    let unreadable = |reason: String| SemanticError::ConfigFile { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|it| unreadable(it.to_string()))?;
    serde_json::from_str(&text).map_err(|it| unreadable(it.to_string()))
}
