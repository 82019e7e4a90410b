//! How to train the semantic encoder on transcripts.

use std::path::{Path, PathBuf};

use audiolm_semantic::{Lexicon, SemanticError, Spelling, TranscriptionConfig, presets};
use serde::{Deserialize, Serialize};

use super::voices::VoiceSettings;

/// How to train the semantic encoder on transcripts, in place of pretraining it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptionSettings {
    /// The encoder, and what spells.
    pub model: TranscriptionConfig,
    /// As if others had said it.
    pub voices: VoiceSettings,
    /// A pronouncing dictionary in the format of CMUdict, so that phones are spelt; where it is empty,
    /// letters are.
    pub lexicon: PathBuf,
    /// Seconds of recordings in a step.
    pub batch_seconds: f64,
    /// Batches of a step: one is of the shortest recordings, one of longer ones, and so on, and all
    /// count the same.
    pub lengths: usize,
}

impl Default for TranscriptionSettings {
    /// Those of a model for a CPU.
    fn default() -> Self {
        Self {
            model: presets::transcription_tiny(),
            voices: VoiceSettings::default(),
            lexicon: PathBuf::new(),
            batch_seconds: 24.0,
            lengths: 4,
        }
    }
}

impl TranscriptionSettings {
    /// Samples of each batch of a step.
    pub(super) fn batch_samples(&self) -> usize {
        let seconds = self.batch_seconds / self.lengths as f64;
        (seconds * self.model.encoder.sample_rate_hz() as f64) as usize
    }

    /// The file that says how words are said, where phones are spelt.
    pub(super) fn lexicon(&self) -> Option<&Path> {
        (!self.lexicon.as_os_str().is_empty()).then_some(&self.lexicon)
    }

    /// What recordings are spelt in.
    pub(super) fn spelling(&self) -> Result<Spelling, SemanticError> {
        match self.lexicon() {
            Some(path) => Ok(Spelling::Phones(Lexicon::read(path)?)),
            None => Ok(Spelling::Letters),
        }
    }
}
