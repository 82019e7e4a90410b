//! The options that make several continuations of one recording.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use audiolm::pipeline::{Candidate, Likelihood, Take};
use audiolm::{Clip, ContinueOptions};
use clap::Args;
use serde::Serialize;

use super::sound::{Sound, about};
use super::telling::TellingArgs;
use crate::destination::STANDARD;
use crate::output::Output;
use crate::session::Session;
use crate::{numbers, progress};

/// How many continuations are made.
#[derive(Debug, Clone, Copy, Args)]
pub struct TakesArgs {
    /// Make so many continuations at once, from the seed and those after it, each in a file of its
    /// own, named after its seed: out-0.wav, out-1.wav and so on
    #[arg(long, value_name = "N", value_parser = numbers::count, allow_negative_numbers = true,
          conflicts_with_all = ["best_of", "stream"])]
    n: Option<usize>,
    /// Draw so many continuations, from the seed and those after it, and write the one that the
    /// models find likeliest
    #[arg(long, value_name = "N", value_parser = numbers::count, allow_negative_numbers = true,
          conflicts_with = "stream")]
    best_of: Option<usize>,
}

/// A recording, and how it is to be continued.
pub struct Continued<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// How it sounds.
    pub prompt: &'a Clip,
    /// How to continue it.
    pub options: &'a ContinueOptions,
    /// What the models are told.
    pub telling: &'a TellingArgs,
    /// The WAV file to write.
    pub output: &'a Path,
}

/// Several continuations that were written.
#[derive(Serialize)]
struct Written {
    takes: Vec<WrittenTake>,
}

/// One of them.
#[derive(Serialize)]
struct WrittenTake {
    #[serde(flatten)]
    sound: Sound,
    likelihood: Likelihood,
}

/// The likeliest of several, and how likely each was.
#[derive(Serialize)]
struct Best {
    #[serde(flatten)]
    sound: Sound,
    takes: Vec<Candidate>,
}

impl TakesArgs {
    /// Whether there is more to make than one continuation.
    pub fn any(self) -> bool {
        self.n.is_some() || self.best_of.is_some()
    }

    /// Makes and writes what is asked for.
    pub fn run(self, continued: &Continued, session: &Session) -> Result<()> {
        let to_a_file = continued.output != Path::new(STANDARD);
        ensure!(to_a_file, "-: several continuations need the name of a file to write");
        match self.best_of {
            Some(n) => session.print(&best(continued, n, session)?),
            None => session.print(&many(continued, self.n.unwrap_or(1), session)?),
        }
    }
}

fn many(continued: &Continued, n: usize, session: &Session) -> Result<Written> {
    let began = Instant::now();
    let Continued { path, prompt, options, output, .. } = continued;
    let seeds = (0..n as u64).map(|idx| options.seed.wrapping_add(idx));
    let outputs = seeds.map(|seed| Output::wav(&numbered(output, seed))?.beside(path));
    let outputs: Vec<Output> = outputs.collect::<Result<_>>()?;
    let lm = continued.telling.load(session)?;
    let made = about(path, lm.continue_many(prompt, options, n, &mut progress::drawing()))?;
    let write = |(take, output): (&Take, &Output)| {
        Ok(WrittenTake { sound: write(take, output, began)?, likelihood: take.likelihood })
    };
    Ok(Written { takes: made.iter().zip(&outputs).map(write).collect::<Result<_>>()? })
}

fn best(continued: &Continued, n: usize, session: &Session) -> Result<Best> {
    let began = Instant::now();
    let Continued { path, prompt, options, output, .. } = continued;
    let output = Output::wav(output)?.beside(path)?;
    let lm = continued.telling.load(session)?;
    let made = about(path, lm.continue_best(prompt, options, n, &mut progress::drawing()))?;
    Ok(Best { sound: write(&made.take, &output, began)?, takes: made.candidates })
}

fn write(take: &Take, output: &Output, began: Instant) -> Result<Sound> {
    let clip = &take.continuation.clip;
    let prompt_seconds = take.continuation.prompt_samples as f64 / f64::from(clip.sample_rate_hz);
    Ok(Sound::write(clip, output, began)?.with_prompt(prompt_seconds).with_seed(take.seed))
}

/// The name with the seed behind its stem.
fn numbered(output: &Path, seed: u64) -> PathBuf {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let extension = output.extension().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!("{stem}-{seed}.{extension}"))
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |it: &WrittenTake| format!("{} {}", it.sound, it.likelihood);
        write!(f, "{}", self.takes.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

impl fmt::Display for Best {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Candidate { seed, likelihood, score } in &self.takes {
            writeln!(f, "seed {seed}: {likelihood}, {score:.3} together")?;
        }
        write!(f, "{}", self.sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_before_their_ending() {
        let name = |output: &str| numbered(Path::new(output), 7).display().to_string();
        assert_eq!(name("out.wav"), "out-7.wav");
        assert_eq!(name("some/where.b/out.a.WAV"), "some/where.b/out.a-7.WAV");
    }
}
