//! What language models are told of recordings, and how.

use std::path::{Path, PathBuf};

use audiolm_transformer::{ConditionConfig, Conditioning};
use serde::{Deserialize, Serialize};

use crate::Stage;

/// What language models are told of recordings, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSettings {
    /// What is told of a recording.
    pub of: Told,
    /// What makes vectors of that.
    pub conditioner: ConditionerKind,
    /// A T5 as published, by path or by its name on Hugging Face; for [`ConditionerKind::T5`].
    pub t5: String,
    /// The folder with that T5, where its name is none.
    pub t5_folder: PathBuf,
    /// How stages read the vectors.
    pub by: Conditioning,
    /// The share of crops that are told nothing, so that guidance has something to compare with.
    pub dropout: f64,
    /// The stages that are told.
    pub stages: Vec<ToldStage>,
}

/// What can be told of a recording: a column of the manifest, or how it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// What is said in it. Only crops that are whole recordings are told: of others nobody knows
    /// which of the words are in them.
    Transcript,
    /// What every part of it is like.
    Caption,
    /// Who is heard.
    Speaker,
    /// The set it belongs to.
    Set,
    /// The recording itself, to a conditioner that embeds sounds.
    Sound,
}

/// What makes vectors of what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionerKind {
    /// Each letter is a vector, whose meaning the stage learns.
    Characters,
    /// Each text of the training recordings is a label, whose meaning the stage learns.
    Labels,
    /// T5's encoder, as published.
    T5,
    /// The one that is given to [`train_with`](crate::train_with).
    Provided,
}

/// A stage that can be told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToldStage {
    /// Of semantic tokens.
    Semantic,
    /// Of coarse codes.
    Coarse,
}

impl Default for ConditionSettings {
    /// The letters of what is said, read by the stage that says it, one time in ten not told.
    fn default() -> Self {
        Self {
            of: Told::Transcript,
            conditioner: ConditionerKind::Characters,
            t5: String::new(),
            t5_folder: PathBuf::new(),
            by: Conditioning::CrossAttention,
            dropout: 0.1,
            stages: vec![ToldStage::Semantic],
        }
    }
}

impl ConditionSettings {
    /// Whether a stage is among those that are told.
    pub fn is_for(&self, stage: Stage) -> bool {
        self.stages.iter().any(|it| it.stage() == stage)
    }

    /// Where the T5 lies.
    pub(crate) fn t5_folder(&self) -> &Path {
        match self.t5_folder.as_os_str().is_empty() {
            true => Path::new(&self.t5),
            false => &self.t5_folder,
        }
    }

    /// What a stage has to know of vectors of so many numbers.
    pub(crate) fn config(&self, width: usize) -> ConditionConfig {
        ConditionConfig { d_condition: width, by: self.by, dropout: self.dropout }
    }
}

impl ToldStage {
    fn stage(self) -> Stage {
        match self {
            Self::Semantic => Stage::Semantic,
            Self::Coarse => Stage::Coarse,
        }
    }
}

impl Told {
    /// Whether it is true of a part of a recording as much as of the whole.
    pub(crate) fn is_of_parts(self) -> bool {
        self != Self::Transcript
    }

    /// What it is called in manifests and settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Transcript => "transcript",
            Self::Caption => "caption",
            Self::Speaker => "speaker",
            Self::Set => "set",
            Self::Sound => "sound",
        }
    }
}
