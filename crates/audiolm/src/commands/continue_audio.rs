//! `audiolm continue`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use audiolm::ContinueOptions;
use audiolm::pipeline::PROMPT_FILE;
use clap::Args;

use super::sampling::SamplingArgs;
use super::semantics::SemanticsArgs;
use super::sound::{about, read};
use super::streaming::StreamArgs;
use super::takes::{Continued, TakesArgs};
use super::telling::TellingArgs;
use crate::destination::Destination;
use crate::session::Session;
use crate::{numbers, progress};

/// Continue a recording: the output starts with the prompt and goes on
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ContinueArgs {
    /// The recording: WAV, FLAC, MP3, Ogg Vorbis or AAC, of any rate [default: the prompt that
    /// comes with the bundle]
    prompt: Option<PathBuf>,
    /// The WAV file to write, or - for the standard output
    #[arg(short, long, value_name = "OUT.wav", default_value = "continuation.wav")]
    output: PathBuf,
    /// How many seconds to add
    #[arg(long, value_name = "S", default_value_t = ContinueOptions::default().seconds,
          value_parser = numbers::seconds, allow_negative_numbers = true)]
    seconds: f64,
    /// How many seconds of the recording to continue, from its start
    #[arg(long, value_name = "S", default_value_t = ContinueOptions::default().prompt_seconds,
          value_parser = numbers::seconds, allow_negative_numbers = true)]
    prompt_seconds: f64,
    #[command(flatten)]
    semantics: SemanticsArgs,
    #[command(flatten)]
    telling: TellingArgs,
    #[command(flatten)]
    takes: TakesArgs,
    #[command(flatten)]
    streaming: StreamArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const EXAMPLES: &str = "\
Examples:
  audiolm continue
  audiolm continue hello.flac -o out.wav --seconds 7 --seed 1
  audiolm continue hello.flac -o - --stream --seconds 60 | aplay
  audiolm continue hello.flac -o out.wav --n 4
  audiolm continue hello.flac -o out.wav --best-of 8 --json
  audiolm continue hello.flac -o out.wav --temperature 0.9 --top-p 0.95 --json";

impl ContinueArgs {
    /// Continues.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let path = self.prompt_path(session)?;
        let output = Destination::wav(&self.output)?.beside(&path)?;
        let prompt = read(&path)?;
        let options = ContinueOptions {
            seconds: self.seconds,
            semantics: self.semantics.semantics(),
            prompt_seconds: self.prompt_seconds,
            seed: session.seed(),
            sampling: self.telling.guided(self.sampling.stages()),
        };
        if self.takes.any() {
            let (path, prompt, options) = (&path, &prompt, &options);
            let (telling, output) = (&self.telling, &self.output);
            let continued = Continued { path, prompt, options, telling, output };
            return self.takes.run(&continued, session);
        }
        let lm = self.telling.load(session)?;
        let blocks = about(&path, lm.continue_stream(&prompt, &options))?;
        let blocks = blocks.with_progress(progress::drawing());
        let sound = self.streaming.write(blocks, &output, began)?.with_seed(options.seed);
        sound.print(&output, session)
    }

    fn prompt_path(&self, session: &Session) -> Result<PathBuf> {
        if let Some(path) = &self.prompt {
            return Ok(path.clone());
        }
        let path = session.bundle_folder()?.join(PROMPT_FILE);
        ensure!(
            path.is_file(),
            "{}: this bundle comes without a prompt; name a recording to continue",
            path.display()
        );
        Ok(path)
    }
}
