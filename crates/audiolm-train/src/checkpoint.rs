//! A run's state on disk, replaced as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::origin::Origin;
use crate::whole_folder::{old_folder, replace_folder};

const STATE_FILE: &str = "state.json";
/// The version of [`CheckpointState`] that is written and read.
const VERSION: u32 = 2;

/// What a checkpoint says beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointState {
    /// Version of this layout.
    version: u32,
    /// Steps done.
    step: u64,
    /// What it was trained from.
    origin: Origin,
}

/// Where a stage's checkpoint lies: a folder that is either the old one or the new one, whenever
/// the process is killed.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    folder: PathBuf,
}

/// A checkpoint that is there.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Steps done.
    pub(crate) step: u64,
    origin: Origin,
}

impl Checkpoint {
    /// That of a stage, in its folder.
    pub(crate) fn of_stage(folder: &Path) -> Self {
        Self { folder: folder.join("checkpoint") }
    }

    /// What has been saved, if anything.
    pub(crate) fn latest(&self) -> Result<Option<Saved>, TrainError> {
        let folders = [self.folder.clone(), old_folder(&self.folder)];
        let saved = folders.into_iter().find(|it| it.join(STATE_FILE).exists());
        saved.map(Saved::read).transpose()
    }

    /// Writes a checkpoint of `step` beside the present one, then takes its place.
    pub(crate) fn replace(
        &self,
        step: u64,
        origin: &Origin,
        fill: impl FnOnce(&Path) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let state = CheckpointState { version: VERSION, step, origin: origin.clone() };
        let state = serde_json::to_string_pretty(&state).expect("plain numbers and strings");
        replace_folder(&self.folder, |folder| {
            fill(folder)?;
            let path = folder.join(STATE_FILE);
            fs::write(&path, state).map_err(TrainError::io(&path))
        })
    }
}

impl Saved {
    fn read(folder: PathBuf) -> Result<Self, TrainError> {
        let path = folder.join(STATE_FILE);
        let text = fs::read_to_string(&path).map_err(TrainError::io(&path))?;
        let malformed = |it: serde_json::Error| TrainError::malformed(&path, it);
        let versioned: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
        let version = &versioned["version"];
        if *version != VERSION {
            let reason = format!("checkpoint version {version}, expected {VERSION}");
            return Err(TrainError::malformed(&path, reason));
        }
        let CheckpointState { step, origin, .. } =
            serde_json::from_value(versioned).map_err(malformed)?;
        Ok(Self { folder, step, origin })
    }

    /// Refuses to go on with anything but what this was trained from.
    pub(crate) fn check(&self, now: &Origin) -> Result<(), TrainError> {
        match self.origin.difference(now) {
            None => Ok(()),
            Some(difference) => {
                Err(TrainError::OtherSettings { path: self.folder.clone(), difference })
            }
        }
    }
}

/// Writes a module with the identities of its parameters, by which an optimiser finds them again.
/// One whose weights are no longer numbers is refused: nothing could go on from it.
pub(crate) fn save_module<M: Module>(module: &M, path: &Path) -> Result<(), TrainError> {
    if !is_finite(module) {
        return Err(TrainError::NoNumbers { path: path.to_owned() });
    }
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

/// Whether every weight is a number.
pub(crate) fn is_finite<M: Module>(module: &M) -> bool {
    let mut sums = Sums(Vec::new());
    module.visit(&mut sums);
    match sums.0.is_empty() {
        true => true,
        false => Tensor::cat(sums.0, 0).sum().into_scalar::<f32>().is_finite(),
    }
}

/// The sum of every parameter, `[1]` each: one read from the device tells whether all are finite.
struct Sums(Vec<Tensor<1>>);

impl ModuleVisitor for Sums {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().without_autodiff().sum());
    }
}

/// Writes numbers that are no tensors. Floats must be of 32 bits: those survive JSON to the last
/// digit.
pub(crate) fn save_state(state: &impl Serialize, path: &Path) -> Result<(), TrainError> {
    let json = serde_json::to_string(state).map_err(|it| TrainError::malformed(path, it))?;
    fs::write(path, json).map_err(TrainError::io(path))
}

/// Reads what [`save_state`] wrote.
pub(crate) fn load_state<T: DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let json = fs::read_to_string(path).map_err(TrainError::io(path))?;
    serde_json::from_str(&json).map_err(|it| TrainError::malformed(path, it))
}
