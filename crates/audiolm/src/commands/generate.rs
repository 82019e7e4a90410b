//! `audiolm generate`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use audiolm::GenerateOptions;
use clap::Args;

use super::sampling::SamplingArgs;
use super::semantics::SemanticsArgs;
use super::streaming::StreamArgs;
use crate::destination::Destination;
use crate::session::Session;
use crate::{numbers, progress};

/// Make audio from nothing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct GenerateArgs {
    /// The WAV file to write, or - for the standard output
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    /// How many seconds to make
    #[arg(long, value_name = "S", default_value_t = GenerateOptions::default().seconds,
          value_parser = numbers::seconds, allow_negative_numbers = true)]
    seconds: f64,
    #[command(flatten)]
    semantics: SemanticsArgs,
    #[command(flatten)]
    streaming: StreamArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const EXAMPLES: &str = "\
Examples:
  audiolm generate -o out.wav --seconds 5
  audiolm generate -o out.wav --seconds 5 --seed 2 --temperature 1
  audiolm generate -o - --stream --seconds 60 | aplay";

impl GenerateArgs {
    /// Generates.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Destination::wav(&self.output)?;
        let options = GenerateOptions {
            seconds: self.seconds,
            semantics: self.semantics.semantics(),
            seed: session.seed(),
            sampling: self.sampling.stages(),
        };
        let lm = session.load()?;
        let blocks = lm.generate_stream(&options)?.with_progress(progress::drawing());
        let sound = self.streaming.write(blocks, &output, began)?.with_seed(options.seed);
        sound.print(&output, session)
    }
}
