//! From the name of a published encoder to its files.

use std::path::{Path, PathBuf};

use anyhow::Result;
use audiolm::hub::{Hub, HubError};
use audiolm::nn::shard_names;

use crate::progress;

/// The files that weights are looked for in, the best first. The last two name others.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "pytorch_model.bin",
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
];
const CONFIG: &str = "config.json";
/// What the model is fed with; not all have it.
const PREPROCESSOR: &str = "preprocessor_config.json";

/// The file or folder of that name, else the folder of the repository on Hugging Face.
pub fn find(name: &str) -> Result<PathBuf> {
    if Path::new(name).exists() {
        return Ok(name.into());
    }
    let hub = Hub::from_env();
    let mut first: Option<HubError> = None;
    for weights in WEIGHTS {
        match hub.folder(name, &[weights, CONFIG], &mut progress::downloading()) {
            Ok(folder) => return completed(&hub, name, &folder, weights),
            Err(error) if !error.is_absence() => return Err(error.into()),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.expect("an error for each of the files").into())
}

/// Fetches what the files name, or may have beside them.
fn completed(hub: &Hub, name: &str, folder: &Path, weights: &str) -> Result<PathBuf> {
    if weights.ends_with(".json") {
        let shards = shard_names(&folder.join(weights))?;
        let shards: Vec<&str> = shards.iter().map(String::as_str).collect();
        hub.folder(name, &shards, &mut progress::downloading())?;
    }
    match hub.folder(name, &[PREPROCESSOR], &mut progress::downloading()) {
        Err(error) if !error.is_absence() => Err(error.into()),
        _ => Ok(folder.to_owned()),
    }
}
