//! How far a training run has come.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use audiolm::train::{MeasuredOn, Measures, MetricsLine, Stage, read_metrics};
use serde::{Deserialize, Serialize};

use crate::progress::text;

/// A run, stage by stage.
#[derive(Debug, Serialize)]
pub(super) struct RunInfo {
    folder: PathBuf,
    stages: Vec<StageInfo>,
}

#[derive(Debug, Serialize)]
struct StageInfo {
    stage: &'static str,
    /// Steps in the last checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    /// The last measures of the training batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    train: Option<Measures>,
    /// The last measures of held-out recordings.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<Measures>,
}

/// The state of one stage on disk.
#[derive(Debug, Serialize)]
pub(super) struct CheckpointInfo {
    folder: PathBuf,
    step: u64,
}

/// What is read of a checkpoint's description.
#[derive(Deserialize)]
struct State {
    step: u64,
}

impl RunInfo {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let stage = |it: Stage| StageInfo::of(&folder.join(it.name()), it.name());
        let stages = Stage::ALL.into_iter().map(stage).collect::<Result<_>>()?;
        Ok(Self { folder: folder.to_owned(), stages })
    }
}

impl StageInfo {
    fn of(folder: &Path, stage: &'static str) -> Result<Self> {
        let checkpoint = folder.join("checkpoint");
        let step = match checkpoint.join("state.json").is_file() {
            true => Some(CheckpointInfo::of(&checkpoint)?.step),
            false => None,
        };
        let metrics = folder.join("metrics.jsonl");
        let lines = if metrics.is_file() { read_metrics(&metrics)? } else { Vec::new() };
        let (train, valid) = (last(&lines, MeasuredOn::Train), last(&lines, MeasuredOn::Valid));
        Ok(Self { stage, step, train, valid })
    }
}

impl CheckpointInfo {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let path = folder.join("state.json");
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(shown)?;
        let state: State = serde_json::from_str(&text).with_context(shown)?;
        Ok(Self { folder: folder.to_owned(), step: state.step })
    }
}

fn last(lines: &[MetricsLine], on: MeasuredOn) -> Option<Measures> {
    lines.iter().rev().find(|it| it.on == on).map(|it| it.measures.clone())
}

impl fmt::Display for RunInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run in {}", self.folder.display())?;
        self.stages.iter().try_for_each(|it| write!(f, "\n{it}"))
    }
}

impl fmt::Display for StageInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:18}", self.stage)?;
        match self.step {
            Some(step) => write!(f, "step {step}")?,
            None => write!(f, "no checkpoint")?,
        }
        for (name, measures) in [("train", &self.train), ("held out", &self.valid)] {
            if let Some(measures) = measures {
                write!(f, "; {name}: {}", text(measures))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for CheckpointInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoint in {} after {} steps", self.folder.display(), self.step)
    }
}
