//! The files of a codec's folder.

/// The file of the configuration.
pub(crate) const CONFIG_FILE: &str = "config.json";
/// The file of the weights.
pub(crate) const WEIGHTS_FILE: &str = "model.safetensors";
