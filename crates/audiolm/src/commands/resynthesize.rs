//! `audiolm resynthesize`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use audiolm::ResynthesizeOptions;
use clap::Args;

use super::sampling::SamplingArgs;
use super::sound::{Sound, about, read};
use crate::output::Output;
use crate::progress;
use crate::session::Session;

/// Keep what is said in a recording, and draw anew how it sounds
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ResynthesizeArgs {
    /// The recording
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The WAV file to write
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const EXAMPLES: &str = "\
Examples:
  audiolm resynthesize hello.flac -o other-voice.wav
  audiolm resynthesize hello.flac -o third-voice.wav --seed 3";

impl ResynthesizeArgs {
    /// Resynthesizes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Output::wav(&self.output)?.beside(&self.input)?;
        let recording = read(&self.input)?;
        let options =
            ResynthesizeOptions { seed: session.seed(), sampling: self.sampling.stages() };
        let lm = session.load()?;
        let said = lm.resynthesize_with(&recording, &options, &mut progress::drawing());
        let clip = about(&self.input, said)?.clip;
        session.print(&Sound::write(&clip, &output, began)?.with_seed(options.seed))
    }
}
