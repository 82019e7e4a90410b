//! What a command that makes a sound reports.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::time::Instant;

use anyhow::Result;
use audiolm::Clip;
use audiolm::audio::{AudioFile, SampleFormat, WavFile};
use serde::Serialize;

use crate::destination::{Destination, STANDARD};
use crate::interrupt::INTERRUPTED;
use crate::output::Output;
use crate::session::Session;

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
    /// How long it took until the first sound that is not the prompt could be heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_audio_seconds: Option<f64>,
    /// Whether Ctrl-C has cut it short.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
}

impl Sound {
    /// A sound at `path` that took since `began` to make.
    pub fn new(path: &Path, seconds: f64, began: Instant) -> Self {
        Self {
            output: absolute(path),
            seconds,
            prompt_seconds: None,
            seed: None,
            elapsed_seconds: began.elapsed().as_secs_f64(),
            first_audio_seconds: None,
            interrupted: false,
        }
    }

    /// Writes a clip that took since `began` to make.
    pub fn write(clip: &Clip, output: &Output, began: Instant) -> Result<Self> {
        clip.write_wav(output.path())?;
        Ok(Self::new(output.path(), clip.seconds(), began))
    }

    /// Writes blocks of samples, which are made meanwhile, and have been since `began`.
    pub fn write_blocks(
        blocks: impl Iterator<Item = Result<Vec<f32>>>,
        sample_rate_hz: u32,
        output: &Destination,
        began: Instant,
    ) -> Result<Self> {
        let mut out = output.open()?;
        let mut file = WavFile::new(&mut out, output.path(), sample_rate_hz, SampleFormat::Int16)?;
        for block in blocks {
            file.push(&block?)?;
        }
        let seconds = file.n_samples() as f64 / f64::from(sample_rate_hz);
        file.finish()?;
        out.keep()?;
        Ok(Self::new(output.path(), seconds, began))
    }

    /// Reports it, unless it went to the standard output itself. What was interrupted ends the program.
    pub fn print(&self, output: &Destination, session: &Session) -> Result<()> {
        if !output.is_standard() {
            session.print(self)?;
        }
        if self.interrupted {
            exit(INTERRUPTED);
        }
        Ok(())
    }

    /// The same, written while it was made: to its end, or not.
    pub fn streamed(self, first_audio_seconds: Option<f64>, to_its_end: bool) -> Self {
        Self { first_audio_seconds, interrupted: !to_its_end, ..self }
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
        if let Some(seconds) = self.first_audio_seconds {
            write!(f, ", to be heard after {seconds:.1} s")?;
        }
        let how = if self.interrupted { "stopped after" } else { "made in" };
        write!(f, " ({how} {:.1} s)", self.elapsed_seconds)
    }
}

/// Reads a recording that a command was given.
pub fn read(path: &Path) -> Result<Clip> {
    Ok(Clip::read(path)?)
}

/// Opens a recording that a command was given, to be read block by block.
pub fn open(path: &Path) -> Result<AudioFile> {
    match path == Path::new(STANDARD) {
        true => Ok(AudioFile::spooled(path, std::io::stdin().lock())?),
        false => Ok(AudioFile::open(path)?),
    }
}

/// Adds the name of a recording to what the models say of it, where they do not name it.
pub fn about<T, E>(path: &Path, result: Result<T, E>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    result.map_err(|error| {
        let name = path.display().to_string();
        match error.to_string().starts_with(&format!("{name}: ")) {
            true => error.into(),
            false => anyhow::Error::new(error).context(name),
        }
    })
}

/// The whole path, so that the sound is found wherever it was made from.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
