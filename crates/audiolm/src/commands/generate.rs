//! `audiolm generate`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use audiolm::GenerateOptions;
use clap::Args;

use super::sampling::SamplingArgs;
use super::semantics::SemanticsArgs;
use super::streaming::StreamArgs;
use super::telling::TellingArgs;
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
    /// How many seconds to make [default: 4; with --text, until all is said]
    #[arg(long, value_name = "S", value_parser = numbers::seconds, allow_negative_numbers = true)]
    seconds: Option<f64>,
    #[command(flatten)]
    telling: TellingArgs,
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
  audiolm generate -o out.wav --text seven --bundle models/told
  audiolm generate -o - --stream --seconds 60 | aplay";

/// After so long nothing more is said, whether the model has come to an end or not.
const MOST_SAID_SECONDS: f64 = 30.0;

impl GenerateArgs {
    /// Generates.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Destination::wav(&self.output)?;
        let options = GenerateOptions {
            seconds: self.seconds(),
            semantics: self.semantics.semantics(),
            seed: session.seed(),
            sampling: self.telling.guided(self.sampling.stages()),
        };
        let lm = self.telling.load(session)?;
        let blocks = match self.ends_by_itself() {
            true => lm.say_stream(&options)?,
            false => lm.generate_stream(&options)?,
        };
        let blocks = blocks.with_progress(progress::drawing());
        let sound = self.streaming.write(blocks, &output, began)?.with_seed(options.seed);
        sound.print(&output, session)
    }

    /// Whether it is over when all is said, rather than after a number of seconds.
    fn ends_by_itself(&self) -> bool {
        self.telling.is_given() && self.seconds.is_none()
    }

    fn seconds(&self) -> f64 {
        let default = match self.ends_by_itself() {
            true => MOST_SAID_SECONDS,
            false => GenerateOptions::default().seconds,
        };
        self.seconds.unwrap_or(default)
    }
}
