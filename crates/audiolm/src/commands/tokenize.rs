//! `audiolm tokenize`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use audiolm::semantic::SemanticTokenizer;
use audiolm::{Clip, Tokens};
use burn::prelude::*;
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
    /// Use this semantic tokenizer, such as `audiolm import` makes, instead of a bundle; it gives no
    /// codes, and hears the recording as loud as it is
    #[arg(long, value_name = "DIR", conflicts_with = "bundle")]
    tokenizer: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm tokenize hello.flac
  audiolm tokenize hello.flac --json > tokens.json
  audiolm tokenize hello.flac --tokenizer models/english-phones";

/// Tokens, for people without the codes: they are many.
#[derive(Serialize)]
#[serde(transparent)]
struct Shown(Tokens);

impl TokenizeArgs {
    /// Tokenizes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let tokens = match &self.tokenizer {
            Some(folder) => self.semantic(folder, session)?,
            None => {
                let recording = read(&self.input)?;
                about(&self.input, session.load()?.tokenize(&recording))?
            }
        };
        session.print(&Shown(tokens))
    }

    fn semantic(&self, folder: &Path, session: &Session) -> Result<Tokens> {
        let device = session.device()?;
        let tokenizer = SemanticTokenizer::load(folder, &device)?;
        let (rate_hz, hop_samples) =
            (tokenizer.config().encoder.sample_rate_hz(), tokenizer.geometry().hop_samples);
        let Clip { samples, .. } = Clip::read_at(&self.input, rate_hz as u32)?;
        ensure!(
            samples.len() >= hop_samples,
            "{}: expected at least one frame of {hop_samples} samples, found {} samples",
            self.input.display(),
            samples.len()
        );
        let wave = Tensor::<1>::from_floats(&samples[..], &device).unsqueeze();
        let tokens = tokenizer.tokenize(wave).remove(0);
        Ok(Tokens {
            semantic_ids: tokens.ids().to_vec(),
            durations: tokens.durations().to_vec(),
            codes: Vec::new(),
            frames_per_second: f64::from(rate_hz as u32) / hop_samples as f64,
        })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(tokens) = self;
        let runs = tokens.semantic_ids.iter().zip(&tokens.durations);
        let runs: Vec<String> = runs.map(|(id, frames)| format!("{id}×{frames}")).collect();
        writeln!(f, "{}", runs.join(" "))?;
        if tokens.codes.is_empty() {
            let (ids, rate) = (tokens.semantic_ids.len(), tokens.frames_per_second);
            return write!(f, "{ids} semantic ids (id×frames), {rate} frames per second");
        }
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
