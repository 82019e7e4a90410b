//! `bundle.json`: what a bundle says about itself.

use std::collections::BTreeMap;
use std::path::Path;

use audiolm_text::ConditionerConfig;
use serde::{Deserialize, Serialize};

use crate::part::{CONFIG_FILE, WEIGHTS_FILE};
use crate::{BundleError, Part, files, json};

/// The version of the format that this build writes and reads.
pub(crate) const VERSION: u64 = 1;
/// The file of the description in a bundle.
pub(crate) const MANIFEST_FILE: &str = "bundle.json";

/// What a bundle says about itself in `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format.
    pub version: u64,
    /// What the bundle is called.
    pub name: String,
    /// The program that assembled it, and its version.
    pub created_by: String,
    /// Samples per second of what goes in and comes out.
    pub sample_rate_hz: usize,
    /// How much each stage has learnt to see at once.
    pub window_frames: WindowFrames,
    /// Which conditioner the stages have learnt with, where they have learnt to be told something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditioner: Option<ConditionerConfig>,
    /// The SHA-256 of every part's files.
    pub parts: BTreeMap<Part, PartHashes>,
}

/// How many frames each stage sees at once, at most: as many as the crops it was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowFrames {
    /// Of semantic tokens.
    pub semantic: usize,
    /// Of coarse codes.
    pub coarse: usize,
    /// Of fine codes.
    pub fine: usize,
    /// Of all codes at once, where there is a stage for that; without a value, as of coarse codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<usize>,
}

/// The SHA-256 of a part's files, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartHashes {
    /// Of its configuration.
    #[serde(rename = "config.json")]
    pub config: String,
    /// Of its weights.
    #[serde(rename = "model.safetensors")]
    pub weights: String,
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Default for WindowFrames {
    /// At 50 frames per second: 30 s of semantic tokens (AudioLM, section IV-A), 4 s of coarse
    /// codes and 3 s of fine ones. The coarse window is ours: the paper's is 10 s.
    fn default() -> Self {
        Self { semantic: 1500, coarse: 200, fine: 150, parallel: None }
    }
}

impl Manifest {
    /// Reads `bundle.json`, its version first: what else a version holds is its own matter.
    pub(crate) fn load(path: &Path) -> Result<Self, BundleError> {
        let Versioned { version: found } = json::load(path)?;
        if found != VERSION {
            return Err(BundleError::Version { path: path.to_owned(), expected: VERSION, found });
        }
        let manifest: Self = json::load(path)?;
        manifest.window_frames.validate(path)?;
        Ok(manifest)
    }

    /// The hashes of one part.
    pub(crate) fn hashes(&self, part: Part, path: &Path) -> Result<&PartHashes, BundleError> {
        self.parts.get(&part).ok_or_else(|| BundleError::Unlisted { path: path.to_owned(), part })
    }
}

impl WindowFrames {
    pub(crate) fn validate(&self, path: &Path) -> Result<(), BundleError> {
        let Self { semantic, coarse, fine, parallel } = *self;
        let stages = [(Part::Semantic, semantic), (Part::Coarse, coarse), (Part::Fine, fine)];
        let parallel = parallel.map(|frames| (Part::Parallel, frames));
        match stages.into_iter().chain(parallel).find(|(_, frames)| *frames < 2) {
            Some((part, found)) => Err(BundleError::Window { path: path.to_owned(), part, found }),
            None => Ok(()),
        }
    }
}

impl PartHashes {
    /// The hashes of the files in a part's folder.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, BundleError> {
        Ok(Self {
            config: files::sha256(&folder.join(CONFIG_FILE))?,
            weights: files::sha256(&folder.join(WEIGHTS_FILE))?,
        })
    }

    /// Every file with its hash.
    pub(crate) fn files(&self) -> [(&'static str, &str); 2] {
        [(CONFIG_FILE, &self.config), (WEIGHTS_FILE, &self.weights)]
    }
}
