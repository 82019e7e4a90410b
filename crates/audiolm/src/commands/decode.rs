//! `audiolm decode`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use audiolm::codec::CodeFile;
use clap::Args;

use super::sound::{Sound, about};
use crate::output::Output;
use crate::session::Session;

/// Turn a file of codes into sound again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DecodeArgs {
    /// The file of codes, made with the same codec
    #[arg(value_name = "IN.alm")]
    input: PathBuf,
    /// The WAV file to write
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    /// The codec: a folder, or a name on Hugging Face such as facebook/encodec_24khz [default: that
    /// of the bundle]
    #[arg(long, value_name = "CODEC", conflicts_with = "bundle")]
    codec: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm decode hello.alm -o hello.wav
  audiolm decode hello.alm -o hello.wav --codec facebook/encodec_24khz";

impl DecodeArgs {
    /// Decodes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Output::wav(&self.output)?.beside(&self.input)?;
        let bytes = std::fs::read(&self.input).with_context(|| self.input.display().to_string())?;
        let file = about(&self.input, CodeFile::from_bytes(&bytes))?;
        let clip = about(&self.input, session.coder(self.codec.as_deref())?.decode_file(&file))?;
        session.print(&Sound::write(&clip, &output, began)?)
    }
}
