//! A run's state on disk, replaced as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};

use crate::TrainError;

const STATE_FILE: &str = "state.json";

/// What a checkpoint says beside its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointState {
    /// Version of this layout.
    version: u32,
    /// Steps done.
    step: u64,
}

/// Where a stage's checkpoint lies: a folder that is either the old one or the new one, whenever
/// the process is killed.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    folder: PathBuf,
}

impl Checkpoint {
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Steps done in the checkpoint, and its folder; none where nothing has been saved.
    pub(crate) fn latest(&self) -> Result<Option<(u64, PathBuf)>, TrainError> {
        for folder in [self.folder.clone(), self.beside("old")] {
            let path = folder.join(STATE_FILE);
            if path.exists() {
                let text = fs::read_to_string(&path).map_err(TrainError::io(&path))?;
                let state: CheckpointState =
                    serde_json::from_str(&text).map_err(|it| TrainError::malformed(&path, it))?;
                if state.version != 1 {
                    let reason = format!("checkpoint version {}, expected 1", state.version);
                    return Err(TrainError::malformed(&path, reason));
                }
                return Ok(Some((state.step, folder)));
            }
        }
        Ok(None)
    }

    /// Writes a checkpoint of `step` beside the present one, then takes its place.
    pub(crate) fn replace(
        &self,
        step: u64,
        fill: impl FnOnce(&Path) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let (partial, old) = (self.beside("partial"), self.beside("old"));
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(TrainError::io(&partial))?;
        fill(&partial)?;
        let state = serde_json::to_string(&CheckpointState { version: 1, step });
        let state_file = partial.join(STATE_FILE);
        fs::write(&state_file, state.expect("two numbers")).map_err(TrainError::io(&state_file))?;
        if self.folder.exists() {
            remove(&old)?;
            fs::rename(&self.folder, &old).map_err(TrainError::io(&self.folder))?;
        }
        fs::rename(&partial, &self.folder).map_err(TrainError::io(&self.folder))?;
        remove(&old)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.folder.with_extension(suffix)
    }
}

fn remove(folder: &Path) -> Result<(), TrainError> {
    match folder.exists() {
        true => fs::remove_dir_all(folder).map_err(TrainError::io(folder)),
        false => Ok(()),
    }
}

/// Writes a module with the identities of its parameters, by which an optimiser finds them again.
pub(crate) fn save_module<M: Module>(module: &M, path: &Path) -> Result<(), TrainError> {
    module.clone().save_file(path).map_err(|it| TrainError::malformed(path, it))
}

/// Reads what [`save_module`] wrote.
pub(crate) fn load_module<M: Module>(module: M, path: &Path) -> Result<M, TrainError> {
    module.try_load_file(path).map_err(|it| TrainError::malformed(path, it))
}

/// Writes an optimiser's state.
pub(crate) fn save_optimizer(optimizer: &ModuleOptimizer, path: &Path) -> Result<(), TrainError> {
    optimizer.save(path).map_err(|it| TrainError::malformed(path, it))
}

/// Reads what [`save_optimizer`] wrote.
pub(crate) fn load_optimizer(
    optimizer: ModuleOptimizer,
    path: &Path,
) -> Result<ModuleOptimizer, TrainError> {
    optimizer.load(path).map_err(|it| TrainError::malformed(path, it))
}
