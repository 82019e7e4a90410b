//! What a command that makes a sound reports.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use audiolm::Clip;
use serde::Serialize;

use crate::output::Output;

/// A sound that was written.
#[derive(Debug, Serialize)]
pub struct Sound {
    /// Where it is.
    output: PathBuf,
    /// How long it is.
    seconds: f64,
    /// How much of it is the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_seconds: Option<f64>,
    /// What chance was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// How long it took.
    elapsed_seconds: f64,
}

impl Sound {
    /// Writes a clip that took since `began` to make.
    pub fn write(clip: &Clip, output: &Output, began: Instant) -> Result<Self> {
        clip.write_wav(output.path())?;
        Ok(Self {
            output: absolute(output.path()),
            seconds: clip.seconds(),
            prompt_seconds: None,
            seed: None,
            elapsed_seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// The same, made by chance.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// The same, beginning with a prompt.
    pub fn with_prompt(self, seconds: f64) -> Self {
        Self { prompt_seconds: Some(seconds), ..self }
    }
}

impl fmt::Display for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:.2} s", self.output.display(), self.seconds)?;
        if let Some(seconds) = self.prompt_seconds {
            write!(f, ", of which the first {seconds:.2} s are the prompt")?;
        }
        write!(f, " (made in {:.1} s)", self.elapsed_seconds)
    }
}

/// Reads a recording that a command was given.
pub fn read(path: &Path) -> Result<Clip> {
    Ok(Clip::read(path)?)
}

/// Adds the name of a recording to what the models say of it.
pub fn about<T, E>(path: &Path, result: Result<T, E>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    result.with_context(|| path.display().to_string())
}

/// The whole path, so that the sound is found wherever it was made from.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
