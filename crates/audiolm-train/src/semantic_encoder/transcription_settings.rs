//! How to train the semantic encoder on transcripts.

use audiolm_semantic::{TranscriptionConfig, presets};
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
    /// Seconds of recordings in a batch.
    pub batch_seconds: f64,
}

impl Default for TranscriptionSettings {
    /// Those of a model for a CPU.
    fn default() -> Self {
        Self {
            model: presets::transcription_tiny(),
            voices: VoiceSettings::default(),
            batch_seconds: 24.0,
        }
    }
}

impl TranscriptionSettings {
    /// Samples of a batch.
    pub(super) fn batch_samples(&self) -> usize {
        (self.batch_seconds * self.model.encoder.sample_rate_hz() as f64) as usize
    }
}
