//! The door: one stage of a plan, trained in a run's folder.

use std::fs;
use std::path::Path;

use burn::prelude::*;

use crate::{
    Ending, Observer, Plan, StageRun, StopSignal, TrainError, train_coarse, train_codec,
    train_fine, train_kmeans, train_semantic, train_semantic_encoder,
};

/// What can be trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The encoder whose features become semantic tokens.
    SemanticEncoder,
    /// The clusters of its features.
    Kmeans,
    /// The codec.
    Codec,
    /// The first language model.
    Semantic,
    /// The second language model.
    Coarse,
    /// The third language model.
    Fine,
}

impl Stage {
    /// All stages, each after those it needs.
    pub const ALL: [Self; 6] = [
        Self::SemanticEncoder,
        Self::Kmeans,
        Self::Codec,
        Self::Semantic,
        Self::Coarse,
        Self::Fine,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SemanticEncoder => "semantic-encoder",
            Self::Kmeans => "kmeans",
            Self::Codec => "codec",
            Self::Semantic => "semantic",
            Self::Coarse => "coarse",
            Self::Fine => "fine",
        }
    }

    /// The stage of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// A run of a plan.
pub struct Run<'a> {
    /// The run's folder; what is there already is gone on with.
    pub folder: &'a Path,
    /// The settings.
    pub plan: &'a Plan,
    /// Where to compute.
    pub device: &'a Device,
    /// Who watches.
    pub observer: &'a mut dyn Observer,
    /// Asks to save and stop.
    pub stop: &'a StopSignal,
}

/// Trains one stage, or goes on with it where the folder holds a part of it.
///
/// The resolved plan is kept as `plan.toml`. A folder in which this stage was begun under other
/// settings is refused.
///
/// # Errors
/// Where recordings, settings or files cannot be used, an earlier stage is missing, or the loss is
/// no longer a number.
pub fn train(stage: Stage, run: Run<'_>) -> Result<Ending, TrainError> {
    fs::create_dir_all(run.folder).map_err(TrainError::io(run.folder))?;
    keep_settings(stage, run.plan, run.folder)?;
    let Plan { seed, data, .. } = run.plan;
    let stage_run = StageRun {
        folder: run.folder,
        data,
        seed: *seed,
        device: run.device,
        observer: run.observer,
        stop: run.stop,
    };
    match stage {
        Stage::SemanticEncoder => train_semantic_encoder(stage_run, &run.plan.semantic_encoder),
        Stage::Kmeans => train_kmeans(stage_run, &run.plan.kmeans),
        Stage::Codec => train_codec(stage_run, &run.plan.codec),
        Stage::Semantic => train_semantic(stage_run, &run.plan.semantic),
        Stage::Coarse => train_coarse(stage_run, &run.plan.coarse),
        Stage::Fine => train_fine(stage_run, &run.plan.fine),
    }
}

/// Writes the plan, unless the stage was begun under another: then names the first difference.
fn keep_settings(stage: Stage, plan: &Plan, folder: &Path) -> Result<(), TrainError> {
    let path = folder.join("plan.toml");
    let resolved = plan.to_toml()?;
    if path.exists() && folder.join(stage.name()).join("checkpoint").exists() {
        let text = fs::read_to_string(&path).map_err(TrainError::io(&path))?;
        let begun: toml::Table = text
            .parse()
            .map_err(|it: toml::de::Error| TrainError::malformed(&path, it.message()))?;
        let wanted: toml::Table = resolved.parse().expect("a plan's own TOML");
        let section = stage.name().replace('-', "_");
        for key in ["seed", "data", &section] {
            if let Some(difference) = difference(key, begun.get(key), wanted.get(key)) {
                return Err(TrainError::OtherSettings { path, difference });
            }
        }
    }
    fs::write(&path, resolved).map_err(TrainError::io(&path))
}

/// The first value that differs below `name`.
fn difference(
    name: &str,
    begun: Option<&toml::Value>,
    wanted: Option<&toml::Value>,
) -> Option<String> {
    match (begun, wanted) {
        (Some(toml::Value::Table(begun)), Some(toml::Value::Table(wanted))) => {
            let keys = begun.keys().chain(wanted.keys());
            let mut below = keys
                .map(|key| difference(&format!("{name}.{key}"), begun.get(key), wanted.get(key)));
            below.find_map(|it| it)
        }
        _ if begun == wanted => None,
        _ => {
            let shown = |it: Option<&toml::Value>| it.map_or("nothing".into(), ToString::to_string);
            Some(format!("{name} was {}, now {}", shown(begun), shown(wanted)))
        }
    }
}
