//! A whole run in one value: a preset, and what a file changes in it.

mod presets;

use std::path::{Path, PathBuf};

use audiolm_semantic::presets::w2v_bert_tiny_pretraining;
use audiolm_transformer::{FineStageConfig, ParallelStageConfig, SemanticStageConfig};
use serde::{Deserialize, Serialize};

use crate::{
    CoarseSettings, CodecSettings, ConditionSettings, DataSettings, KmeansSettings,
    SemanticEncoderSettings, Stage, StageSettings, TrainError, TranscriptionSettings,
};

/// Settings of every stage of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What all randomness derives from.
    pub seed: u64,
    /// A bundle whose tokenizers are used; empty where the run trains its own.
    pub tokenizers: PathBuf,
    /// The recordings.
    pub data: DataSettings,
    /// What language models are told of them, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionSettings>,
    /// Pretraining of the semantic encoder.
    pub semantic_encoder: SemanticEncoderSettings,
    /// Clusters of its features.
    pub kmeans: KmeansSettings,
    /// The codec.
    pub codec: CodecSettings,
    /// The first stage.
    pub semantic: StageSettings<SemanticStageConfig>,
    /// The second stage.
    pub coarse: CoarseSettings,
    /// The third stage.
    pub fine: StageSettings<FineStageConfig>,
    /// The stage in place of the second and the third.
    pub parallel: StageSettings<ParallelStageConfig>,
}

/// Plans with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The bundled model: hours on two processor cores.
    Tiny,
    /// Toy sizes, every stage in seconds: proves that the chain works, nothing more.
    Smoke,
    /// The sizes and crops of AudioLM (arXiv 2209.03143), for machines that can hold them.
    Paper,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 3] = [Self::Tiny, Self::Smoke, Self::Paper];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Smoke => "smoke",
            Self::Paper => "paper",
        }
    }

    /// The preset of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

impl Plan {
    /// The settings of a preset, without recordings.
    pub fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Tiny => presets::tiny(),
            Preset::Smoke => presets::smoke(),
            Preset::Paper => presets::paper(),
        }
    }

    /// The plan with the values of a TOML file in place of its own. Keys are those of a saved plan,
    /// and a file may hold as few of them as it likes.
    ///
    /// # Errors
    /// Where the file is no TOML, has a key that no plan has, or a value of another type.
    pub fn with_overrides(self, text: &str, path: &Path) -> Result<Self, TrainError> {
        let settings = |reason: String| TrainError::Settings { path: path.to_owned(), reason };
        let overrides: toml::Table =
            text.parse().map_err(|it: toml::de::Error| settings(it.message().to_owned()))?;
        let mut plan = toml::Table::try_from(&self).map_err(|it| settings(it.to_string()))?;
        merge(&mut plan, overrides, "").map_err(settings)?;
        plan.try_into().map_err(|it: toml::de::Error| settings(it.message().to_owned()))
    }

    /// The bundle whose tokenizers are used, if the run does not train its own.
    pub fn tokenizers(&self) -> Option<&Path> {
        (!self.tokenizers.as_os_str().is_empty()).then_some(&self.tokenizers)
    }

    /// What a stage is told, if it is told anything.
    pub fn condition_of(&self, stage: Stage) -> Option<&ConditionSettings> {
        self.condition.as_ref().filter(|it| it.is_for(stage))
    }

    /// The plan as TOML.
    ///
    /// # Errors
    /// Where a number does not fit TOML.
    pub fn to_toml(&self) -> Result<String, TrainError> {
        toml::to_string_pretty(self)
            .map_err(|it| TrainError::Settings { path: "plan.toml".into(), reason: it.to_string() })
    }
}

/// Where a plan leaves out what it does not use: options of the codec and of the stacks. These
/// themselves refuse what they do not know.
const OPEN_TABLES: [&str; 5] = [
    "codec.model.",
    "semantic.model.decoder.",
    "coarse.model.decoder.",
    "fine.model.decoder.",
    "parallel.model.decoder.",
];

/// A table that a plan leaves out where it is not used: what a file that names it begins with.
fn unused_table(name: &str) -> Option<toml::Table> {
    fn table(settings: impl Serialize) -> toml::Table {
        toml::Table::try_from(settings).expect("names and plain numbers fit TOML")
    }
    match name {
        "semantic_encoder.w2v_bert" => Some(table(w2v_bert_tiny_pretraining())),
        "semantic_encoder.transcription" => Some(table(TranscriptionSettings::default())),
        "condition" => Some(table(ConditionSettings::default())),
        _ => None,
    }
}

/// Replaces values of `plan`, refusing keys it does not have.
fn merge(plan: &mut toml::Table, overrides: toml::Table, prefix: &str) -> Result<(), String> {
    for (key, value) in overrides {
        let name = format!("{prefix}{key}");
        if let (None, Some(unused)) = (plan.get(&key), unused_table(&name)) {
            plan.insert(key.clone(), toml::Value::Table(unused));
        }
        match (plan.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => {
                merge(inner, value, &format!("{name}."))?;
            }
            (Some(toml::Value::Table(_)), _) => return Err(format!("{name} must be a table")),
            (Some(toml::Value::Float(old)), toml::Value::Integer(value)) => *old = value as f64,
            (Some(old), value) if old.type_str() == value.type_str() => *old = value,
            (Some(old), value) => {
                let (expected, found) = (old.type_str(), value.type_str());
                return Err(format!("{name} must be of type {expected}, found {found}"));
            }
            (None, value) if OPEN_TABLES.contains(&prefix) => {
                plan.insert(key, value);
            }
            (None, _) => {
                let known: Vec<_> = plan.keys().map(String::as_str).collect();
                return Err(format!("unknown key {name}; expected one of {}", known.join(", ")));
            }
        }
    }
    Ok(())
}
