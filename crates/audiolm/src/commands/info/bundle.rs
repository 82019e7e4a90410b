//! What a bundle holds.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use audiolm::pipeline::{Bundle, Manifest, Part};
use serde::Serialize;

use super::weights::WeightsInfo;

/// A bundle whose files have been checked.
#[derive(Debug, Serialize)]
pub(super) struct BundleInfo {
    folder: PathBuf,
    #[serde(flatten)]
    manifest: Manifest,
    weights: Vec<PartInfo>,
}

#[derive(Debug, Serialize)]
struct PartInfo {
    part: Part,
    #[serde(flatten)]
    weights: WeightsInfo,
}

impl BundleInfo {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let bundle = Bundle::open(folder)?;
        let part = |part: Part| {
            let file = folder.join(part.folder()).join("model.safetensors");
            Ok(PartInfo { part, weights: WeightsInfo::of_file(&file)? })
        };
        Ok(Self {
            folder: folder.to_owned(),
            manifest: bundle.manifest().clone(),
            weights: bundle.manifest().parts.keys().copied().map(part).collect::<Result<_>>()?,
        })
    }
}

impl fmt::Display for BundleInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Manifest { name, created_by, sample_rate_hz, window_frames, .. } = &self.manifest;
        writeln!(f, "bundle {name} in {}", self.folder.display())?;
        writeln!(f, "made by {created_by}; every file is the one it was made with")?;
        writeln!(f, "{sample_rate_hz} samples per second")?;
        for PartInfo { part, weights } in &self.weights {
            writeln!(f, "{:20}{weights}", part.folder())?;
        }
        write!(
            f,
            "{:20}semantic {}, coarse {}, fine {}",
            "frames seen at once", window_frames.semantic, window_frames.coarse, window_frames.fine
        )?;
        match window_frames.parallel {
            Some(frames) => write!(f, ", parallel {frames}"),
            None => Ok(()),
        }
    }
}
