//! `audiolm reconstruct`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use super::sound::{Sound, about, read};
use crate::numbers;
use crate::output::Output;
use crate::session::Session;

/// Send a recording through the codec: what the language models can sound like at best
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReconstructArgs {
    /// The recording
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The WAV file to write
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    /// The codec: a folder, or a name on Hugging Face such as facebook/encodec_24khz [default: that
    /// of the bundle]
    #[arg(long, value_name = "CODEC", conflicts_with = "bundle")]
    codec: Option<String>,
    /// Decode from so many leading quantizers [default: all]
    #[arg(long, value_name = "Q", value_parser = numbers::count, allow_negative_numbers = true)]
    quantizers: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm reconstruct hello.flac -o codec.wav
  audiolm reconstruct hello.flac -o coarse.wav --quantizers 3
  audiolm reconstruct hello.flac -o dac.wav --codec descript/dac_16khz";

impl ReconstructArgs {
    /// Reconstructs.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Output::wav(&self.output)?.beside(&self.input)?;
        let recording = read(&self.input)?;
        let clip = about(
            &self.input,
            session.coder(self.codec.as_deref())?.reconstruct(&recording, self.quantizers),
        )?;
        session.print(&Sound::write(&clip, &output, began)?)
    }
}
