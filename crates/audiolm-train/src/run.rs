//! One run's folder: where each stage keeps its state and what it hands on.

use std::fs;
use std::path::{Path, PathBuf};

use burn::prelude::*;

use crate::{DataSettings, Observer, StopSignal, TrainError};

/// What every stage needs to know about the run it belongs to.
pub struct StageRun<'a> {
    /// The run's folder.
    pub folder: &'a Path,
    /// The recordings.
    pub data: &'a DataSettings,
    /// What all randomness derives from.
    pub seed: u64,
    /// Where to compute.
    pub device: &'a Device,
    /// Who watches.
    pub observer: &'a mut dyn Observer,
    /// Asks to save and stop.
    pub stop: &'a StopSignal,
}

impl StageRun<'_> {
    /// Decoded recordings; may be deleted whenever nothing runs.
    pub(crate) fn cache_folder(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Checkpoints and metrics of a stage.
    pub(crate) fn stage_folder(&self, stage: &str) -> Result<PathBuf, TrainError> {
        created(self.folder.join(stage))
    }

    /// Where a finished part lies for the stages after it and for the bundle.
    pub(crate) fn export_folder(&self, part: &str) -> Result<PathBuf, TrainError> {
        created(self.folder.join("export").join(part))
    }

    /// The finished part that an earlier stage has exported.
    pub(crate) fn exported(&self, part: &str, stage: &'static str) -> Result<PathBuf, TrainError> {
        let path = self.folder.join("export").join(part);
        match path.join("model.safetensors").exists() {
            true => Ok(path),
            false => Err(TrainError::StageMissing { path, stage }),
        }
    }
}

pub(crate) fn created(folder: PathBuf) -> Result<PathBuf, TrainError> {
    fs::create_dir_all(&folder).map_err(TrainError::io(&folder))?;
    Ok(folder)
}
