//! `audiolm reconstruct`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use super::sound::{Sound, about, open};
use crate::destination::Destination;
use crate::numbers;
use crate::session::Session;

/// Send a recording through the codec: what the language models can sound like at best
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReconstructArgs {
    /// The recording, or - for the standard input
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The WAV file to write, or - for the standard output
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
        let output = Destination::wav(&self.output)?.beside(&self.input)?;
        let recording = open(&self.input)?;
        let coder = session.coder(self.codec.as_deref())?;
        let codes = about(&self.input, coder.encode_blocks(&recording, self.quantizers))?;
        let header = *codes.header();
        let blocks = about(&self.input, coder.decode_blocks(&header, codes, None))?;
        let blocks = blocks.map(|it| about(&self.input, it));
        let rate_hz = coder.spec().sample_rate_hz as u32;
        Sound::write_blocks(blocks, rate_hz, &output, began)?.print(&output, session)
    }
}
