//! `audiolm resynthesize`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use audiolm::{ContinueOptions, ResynthesizeOptions};
use clap::Args;

use super::sampling::SamplingArgs;
use super::sound::{about, read};
use super::streaming::StreamArgs;
use super::telling::TellingArgs;
use crate::destination::Destination;
use crate::session::Session;
use crate::{numbers, progress};

/// Keep what is said in a recording, and draw anew how it sounds
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ResynthesizeArgs {
    /// The recording
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The WAV file to write, or - for the standard output
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    /// Say it in the voice of this recording [default: one that the models choose]
    #[arg(long, value_name = "VOICE")]
    voice: Option<PathBuf>,
    /// How many seconds of the voice to listen to, from its start [default: 3]
    #[arg(long, value_name = "S", value_parser = numbers::seconds, requires = "voice",
          allow_negative_numbers = true)]
    voice_seconds: Option<f64>,
    /// How fast to say it: 1.25 takes four seconds where the recording takes five
    #[arg(long, value_name = "T", default_value_t = ResynthesizeOptions::default().tempo,
          value_parser = numbers::tempo, allow_negative_numbers = true)]
    tempo: f64,
    #[command(flatten)]
    telling: TellingArgs,
    #[command(flatten)]
    streaming: StreamArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const EXAMPLES: &str = "\
Examples:
  audiolm resynthesize hello.flac -o other-voice.wav
  audiolm resynthesize hello.flac -o third-voice.wav --seed 3
  audiolm resynthesize hello.flac -o her-voice.wav --voice her.flac
  audiolm resynthesize hello.flac -o slower.wav --voice hello.flac --tempo 0.8";

impl ResynthesizeArgs {
    /// Resynthesizes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let mut output = Destination::wav(&self.output)?.beside(&self.input)?;
        let recording = read(&self.input)?;
        let options = ResynthesizeOptions {
            tempo: self.tempo,
            seed: session.seed(),
            sampling: self.telling.guided(self.sampling.stages()),
        };
        let lm = self.telling.load(session)?;
        let blocks = match &self.voice {
            None => about(&self.input, lm.resynthesize_stream(&recording, &options))?,
            Some(path) => {
                output = output.beside(path)?;
                let voice = read(path)?.excerpt(0.0, self.voice_seconds());
                about(path, lm.resynthesize_as_stream(&recording, &voice, &options))?
            }
        };
        let blocks = blocks.with_progress(progress::drawing());
        let sound = self.streaming.write(blocks, &output, began)?.with_seed(options.seed);
        sound.print(&output, session)
    }

    /// As much as of a prompt.
    fn voice_seconds(&self) -> f64 {
        self.voice_seconds.unwrap_or(ContinueOptions::default().prompt_seconds)
    }
}
