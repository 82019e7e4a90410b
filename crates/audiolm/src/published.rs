//! From the name of a published encoder, of sounds or of text, to its files.

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
/// What an encoder of sounds is fed with; not all have it.
const PREPROCESSOR: &str = "preprocessor_config.json";
/// What cuts text to the pieces that an encoder of text is fed with; each has at least one of them.
const TOKENIZERS: [&str; 2] = ["tokenizer.json", "spiece.model"];

/// The file or folder of an encoder of sounds by that name, else the folder of the repository on
/// Hugging Face.
pub fn find(name: &str) -> Result<PathBuf> {
    find_with(name, &[PREPROCESSOR])
}

/// The same of an encoder of text.
pub fn find_text_encoder(name: &str) -> Result<PathBuf> {
    find_with(name, &TOKENIZERS)
}

/// With the files of `others` that there are.
fn find_with(name: &str, others: &[&str]) -> Result<PathBuf> {
    if Path::new(name).exists() {
        return Ok(name.into());
    }
    let hub = Hub::from_env();
    let mut first: Option<HubError> = None;
    for weights in WEIGHTS {
        match hub.folder(name, &[weights, CONFIG], &mut progress::downloading()) {
            Ok(folder) => {
                named_by(&hub, name, &folder.join(weights))?;
                others.iter().try_for_each(|it| optional(&hub, name, it))?;
                return Ok(folder);
            }
            Err(error) if !error.is_absence() => return Err(error.into()),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.expect("an error for each of the files").into())
}

/// Fetches the files that an index of weights names.
fn named_by(hub: &Hub, name: &str, weights: &Path) -> Result<()> {
    if weights.extension().is_some_and(|it| it == "json") {
        let shards = shard_names(weights)?;
        let shards: Vec<&str> = shards.iter().map(String::as_str).collect();
        hub.folder(name, &shards, &mut progress::downloading())?;
    }
    Ok(())
}

/// Fetches a file that need not be there.
fn optional(hub: &Hub, name: &str, file: &str) -> Result<()> {
    match hub.folder(name, &[file], &mut progress::downloading()) {
        Err(error) if !error.is_absence() => Err(error.into()),
        _ => Ok(()),
    }
}
