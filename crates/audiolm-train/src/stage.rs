//! The door: one stage of a plan, trained in a run's folder.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use audiolm_audio::write_whole;
use audiolm_text::Conditioner;
use burn::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::codec::train_codec;
use crate::kmeans::train_kmeans;
use crate::origin::Origin;
use crate::parallel::train_parallel;
use crate::published_codec::given_codec;
use crate::run::StageRun;
use crate::semantic_encoder::train_semantic_encoder;
use crate::stages::{train_coarse, train_fine, train_semantic};
use crate::tokenizers::take_tokenizers;
use crate::{Ending, Observer, Plan, StopSignal, TrainError};

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
    /// The language model that draws the codes of the second and the third, many at once.
    Parallel,
}

impl Stage {
    /// All stages, each after those it needs.
    pub const ALL: [Self; 7] = [
        Self::SemanticEncoder,
        Self::Kmeans,
        Self::Codec,
        Self::Semantic,
        Self::Coarse,
        Self::Fine,
        Self::Parallel,
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
            Self::Parallel => "parallel",
        }
    }

    /// Whether the stage is a part of a tokenizer, rather than a model of tokens.
    pub fn makes_tokens(self) -> bool {
        matches!(self, Self::SemanticEncoder | Self::Kmeans | Self::Codec)
    }

    /// Whether a bundle can do without it.
    pub fn is_optional(self) -> bool {
        self == Self::Parallel
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

/// Trains one stage, or goes on with it where the folder holds a part of it. Where the plan names a
/// bundle for its tokenizers, the stages that would train them are finished by taking those.
///
/// The resolved plan is kept as `plan.toml`. A folder in which this stage was begun under other
/// settings is refused, but for its schedule and cadence.
///
/// # Errors
/// Where recordings, settings or files cannot be used, an earlier stage is missing, or the loss is
/// no longer a number.
pub fn train(stage: Stage, run: Run<'_>) -> Result<Ending, TrainError> {
    train_with(stage, run, None)
}

/// As [`train`], with a conditioner of the caller's own, for plans whose
/// [`ConditionerKind`](crate::ConditionerKind) is `Provided`.
///
/// # Errors
/// As [`train`].
pub fn train_with(
    stage: Stage,
    run: Run<'_>,
    provided: Option<Arc<dyn Conditioner>>,
) -> Result<Ending, TrainError> {
    match given_codec(run.plan, run.folder)?.is_some() {
        true => run.plan.check_without_codec()?,
        false => run.plan.check()?,
    }
    if stage == Stage::Parallel {
        run.plan.check_parallel()?;
    }
    fs::create_dir_all(run.folder).map_err(TrainError::io(run.folder))?;
    let origin = Origin::of(stage, run.plan);
    keep_settings(stage, &origin, &run)?;
    if let Some(bundle) = run.plan.tokenizers() {
        take_tokenizers(bundle, run.plan, run.folder)?;
        if stage.makes_tokens() {
            return Ok(Ending::Finished);
        }
    }
    let Plan { seed, data, .. } = run.plan;
    let stage_run = StageRun {
        folder: run.folder,
        data,
        condition: run.plan.condition_of(stage),
        provided,
        seed: *seed,
        device: run.device,
        observer: run.observer,
        stop: run.stop,
        origin,
    };
    match stage {
        Stage::SemanticEncoder => train_semantic_encoder(stage_run, &run.plan.semantic_encoder),
        Stage::Kmeans => train_kmeans(stage_run, &run.plan.kmeans),
        Stage::Codec => train_codec(stage_run, &run.plan.codec),
        Stage::Semantic => train_semantic(stage_run, &run.plan.semantic),
        Stage::Coarse => train_coarse(stage_run, &run.plan.coarse),
        Stage::Fine => train_fine(stage_run, &run.plan.fine),
        Stage::Parallel => train_parallel(stage_run, &run.plan.parallel),
    }
}

/// Writes the plan, unless the stage was begun under another: then names the first difference.
fn keep_settings(stage: Stage, origin: &Origin, run: &Run<'_>) -> Result<(), TrainError> {
    if let Some(saved) = Checkpoint::of_stage(&run.folder.join(stage.name())).latest()? {
        saved.check(origin)?;
    }
    let (path, resolved) = (run.folder.join("plan.toml"), run.plan.to_toml()?);
    write_whole(&path, |out| {
        let failed = |source| TrainError::Io { path: path.clone(), source };
        out.write_all(resolved.as_bytes()).map_err(failed)
    })
}
