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
    /// The file of codes, made with the codec of the same bundle
    #[arg(value_name = "IN.alm")]
    input: PathBuf,
    /// The WAV file to write
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  audiolm decode hello.alm -o hello.wav";

impl DecodeArgs {
    /// Decodes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Output::wav(&self.output)?.beside(&self.input)?;
        let bytes = std::fs::read(&self.input).with_context(|| self.input.display().to_string())?;
        let file = about(&self.input, CodeFile::from_bytes(&bytes))?;
        let clip = about(&self.input, session.load()?.decode_file(&file))?;
        session.print(&Sound::write(&clip, &output, began)?)
    }
}
