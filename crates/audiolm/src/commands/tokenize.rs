//! `audiolm tokenize`.

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use audiolm::Tokens;
use clap::Args;
use serde::Serialize;

use super::sound::{about, read};
use crate::session::Session;

/// Show a recording as the language models see it: semantic ids with durations, and codes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TokenizeArgs {
    /// The recording
    #[arg(value_name = "IN")]
    input: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  audiolm tokenize hello.flac
  audiolm tokenize hello.flac --json > tokens.json";

/// Tokens, for people without the codes: they are many.
#[derive(Serialize)]
#[serde(transparent)]
struct Shown(Tokens);

impl TokenizeArgs {
    /// Tokenizes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let recording = read(&self.input)?;
        let tokens = about(&self.input, session.load()?.tokenize(&recording))?;
        session.print(&Shown(tokens))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(tokens) = self;
        let runs = tokens.semantic_ids.iter().zip(&tokens.durations);
        let runs: Vec<String> = runs.map(|(id, frames)| format!("{id}×{frames}")).collect();
        writeln!(f, "{}", runs.join(" "))?;
        write!(
            f,
            "{} semantic ids (id×frames), {} frames of {} codes, {} frames per second; \
             --json shows the codes",
            tokens.semantic_ids.len(),
            tokens.n_frames(),
            tokens.codes.len(),
            tokens.frames_per_second
        )
    }
}
