//! `audiolm decode`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use audiolm::codec::CodeReader;
use clap::Args;

use super::sound::{Sound, about};
use crate::destination::{Destination, STANDARD};
use crate::numbers;
use crate::session::Session;

/// Turn a file of codes, of any length, into sound again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DecodeArgs {
    /// The file of codes, made with the same codec, or - for the standard input
    #[arg(value_name = "IN.alm")]
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
  audiolm decode hello.alm -o hello.wav
  audiolm decode hello.alm -o coarse.wav --quantizers 3
  audiolm decode - -o - < hello.alm > hello.wav
  audiolm decode hello.alm -o hello.wav --codec facebook/encodec_24khz";

impl DecodeArgs {
    /// Decodes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Destination::wav(&self.output)?.beside(&self.input)?;
        let codes = about(&self.input, CodeReader::new(read(&self.input)?))?;
        let header = *codes.header();
        let coder = session.coder(self.codec.as_deref())?;
        let blocks = about(&self.input, coder.decode_blocks(&header, codes, self.quantizers))?;
        let blocks = blocks.map(|it| about(&self.input, it));
        let rate_hz = coder.spec().sample_rate_hz as u32;
        Sound::write_blocks(blocks, rate_hz, &output, began)?.print(&output, session)
    }
}

fn read(path: &Path) -> Result<Box<dyn Read>> {
    if path == Path::new(STANDARD) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(Box::new(BufReader::new(file)))
}
