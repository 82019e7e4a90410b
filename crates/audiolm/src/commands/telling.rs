//! The options that say what the models are told.

use anyhow::Result;
use audiolm::{AudioLm, Guidance, StageSampling};
use clap::Args;

use crate::numbers;
use crate::session::Session;

/// What the models are told, where the bundle has learnt to listen (docs/conditioning.md).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Text")]
pub struct TellingArgs {
    /// What is to be said, or what it is to be like, as the bundle has learnt it
    #[arg(long)]
    text: Option<String>,
    /// How much the text counts: 1 is what the models have learnt, more than that is guidance away
    /// from what they would make without it [default: 1]
    #[arg(long, value_name = "SCALE", requires = "text", value_parser = numbers::guidance,
          allow_negative_numbers = true)]
    guidance: Option<f64>,
}

impl TellingArgs {
    /// The models of the bundle, told the text if there is one.
    pub fn load(&self, session: &Session) -> Result<AudioLm> {
        match &self.text {
            Some(text) => session.load_told(text),
            None => session.load(),
        }
    }

    /// Whether there is a text.
    pub fn is_given(&self) -> bool {
        self.text.is_some()
    }

    /// The same sampling, guided.
    pub fn guided(&self, sampling: StageSampling) -> StageSampling {
        let guidance = self.guidance.map_or(sampling.guidance, |scale| Guidance { scale });
        StageSampling { guidance, ..sampling }
    }
}
