//! The options that say what the coarse stage is told.

use audiolm::pipeline::Semantics;
use clap::Args;

use crate::numbers;

/// What the coarse stage is told of the sound it draws.
#[derive(Debug, Clone, Copy, Args)]
pub struct SemanticsArgs {
    /// How fast to speak: 1.25 says in four seconds what would take five [default: 1]
    #[arg(long, value_name = "T", value_parser = numbers::tempo, allow_negative_numbers = true)]
    tempo: Option<f64>,
    /// Draw codes without semantic tokens, as AudioLM's acoustic-only ablation does; for stages that have
    /// learnt from such crops (coarse.semantic_dropout)
    #[arg(long, conflicts_with = "tempo")]
    acoustic_only: bool,
}

impl SemanticsArgs {
    /// What that is.
    pub fn semantics(self) -> Semantics {
        match (self.acoustic_only, self.tempo) {
            (true, _) => Semantics::LeftOut,
            (false, Some(tempo)) => Semantics::Drawn { tempo },
            (false, None) => Semantics::default(),
        }
    }
}
