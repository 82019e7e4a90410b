//! One run's folder: where each stage keeps its state and what it hands on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audiolm_text::Conditioner;
use burn::prelude::*;

use crate::origin::Origin;
use crate::whole_folder::replace_folder;
use crate::{ConditionSettings, DataSettings, Observer, StopSignal, TrainError};

/// What every stage needs to know about the run it belongs to.
pub(crate) struct StageRun<'a> {
    /// The run's folder.
    pub(crate) folder: &'a Path,
    /// The recordings.
    pub(crate) data: &'a DataSettings,
    /// What the stage is told of them, if it is told anything.
    pub(crate) condition: Option<&'a ConditionSettings>,
    /// A conditioner of the caller's own.
    pub(crate) provided: Option<Arc<dyn Conditioner>>,
    /// What all randomness derives from.
    pub(crate) seed: u64,
    /// Where to compute.
    pub(crate) device: &'a Device,
    /// Who watches.
    pub(crate) observer: &'a mut dyn Observer,
    /// Asks to save and stop.
    pub(crate) stop: &'a StopSignal,
    /// What the stage is trained from.
    pub(crate) origin: Origin,
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
    pub(crate) fn export_folder(&self, part: &str) -> PathBuf {
        self.folder.join("export").join(part)
    }

    /// Hands a finished part on, in place of one that was there.
    pub(crate) fn export(
        &self,
        part: &str,
        fill: impl FnOnce(&Path) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        replace_folder(&self.export_folder(part), fill)
    }

    /// The finished part that an earlier stage has exported.
    pub(crate) fn exported(&self, part: &str, stage: &'static str) -> Result<PathBuf, TrainError> {
        let path = self.export_folder(part);
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
