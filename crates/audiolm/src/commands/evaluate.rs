//! `audiolm evaluate`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use audiolm::ContinueOptions;
use audiolm::data::Split;
use audiolm::evaluation::{
    EvaluateOptions, HeldOut, HeldOutOptions, Report, Sounds, StageLikelihood, evaluate_with,
};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::recordings::RecordingsArgs;
use super::sampling::SamplingArgs;
use crate::output::Output;
use crate::session::Session;
use crate::{numbers, progress};

/// The name of all splits together.
const ALL: &str = "all";

/// Measure a bundle on recordings that it has not learnt from: codec, continuations, likelihood
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArgs {
    #[command(flatten)]
    recordings: RecordingsArgs,
    /// The split to measure on
    #[arg(long, value_name = "SPLIT", default_value = Split::Test.name(), value_parser = split_names())]
    split: Splits,
    /// Measure on at most so many speakers, the first ones
    #[arg(long, value_name = "N", default_value_t = HeldOutOptions::default().n_speakers,
          value_parser = numbers::count, allow_negative_numbers = true)]
    speakers: usize,
    /// How many seconds of a recording to continue
    #[arg(long, value_name = "S", default_value_t = ContinueOptions::default().prompt_seconds,
          value_parser = numbers::seconds, allow_negative_numbers = true)]
    prompt_seconds: f64,
    /// How many seconds to add
    #[arg(long, value_name = "S", default_value_t = ContinueOptions::default().seconds,
          value_parser = numbers::seconds, allow_negative_numbers = true)]
    seconds: f64,
    /// The folder of the training run, for the held-out likelihood of its stages
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// A JSON file to write the report to
    #[arg(short, long, value_name = "OUT.json")]
    output: Option<PathBuf>,
    /// A folder to write prompts, continuations and reconstructed prompts to, for listening
    #[arg(long, value_name = "DIR")]
    audio: Option<PathBuf>,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const EXAMPLES: &str = "\
Examples:
  audiolm evaluate --data recordings/
  audiolm evaluate --data unheard/ --split all --bundle models/mine --run runs/mine
  audiolm evaluate --data recordings/ --set read --split valid -o report.json --audio heard/";

/// One split, or all of them.
#[derive(Debug, Clone, Copy)]
enum Splits {
    All,
    One([Split; 1]),
}

impl Splits {
    fn splits(&self) -> &[Split] {
        match self {
            Self::All => &Split::ALL,
            Self::One(split) => split,
        }
    }
}

impl EvaluateArgs {
    /// Measures.
    pub fn run(&self, session: &Session) -> Result<()> {
        let output = self.output.as_deref().map(Output::json).transpose()?;
        let corpus = self.recordings.corpus()?;
        let likelihood = self.run.as_deref().map(StageLikelihood::of_run).transpose()?;
        let lm = session.load()?;
        let chosen = self.recordings.chosen(&corpus, self.split.splits())?;
        let held_out = HeldOut::read(&chosen, &self.held_out_options())?;
        if let Some(folder) = &self.audio {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let options = self.options(session.seed());
        let made = evaluate_with(&lm, &held_out, &options, &mut progress::measuring())?;
        let report = Report { likelihood: likelihood.unwrap_or_default(), ..made.report };
        if let Some(folder) = &self.audio {
            write_sounds(&made.sounds, folder)?;
        }
        if let Some(output) = &output {
            write_report(&report, output)?;
        }
        session.print(&report)
    }

    fn held_out_options(&self) -> HeldOutOptions {
        let (n_speakers, prompt_seconds) = (self.speakers, self.prompt_seconds);
        HeldOutOptions { n_speakers, prompt_seconds, ..Default::default() }
    }

    fn options(&self, seed: u64) -> EvaluateOptions {
        let continuation = ContinueOptions {
            seconds: self.seconds,
            prompt_seconds: self.prompt_seconds,
            seed,
            sampling: self.sampling.stages(),
            ..Default::default()
        };
        EvaluateOptions { continuation, ..Default::default() }
    }
}

fn split_names() -> impl TypedValueParser<Value = Splits> {
    let names = Split::ALL.map(Split::name).into_iter().chain([ALL]);
    PossibleValuesParser::new(names)
        .map(|name| Split::from_name(&name).map_or(Splits::All, |it| Splits::One([it])))
}

/// Three files for each speaker, numbered as in the report.
fn write_sounds(sounds: &[Sounds], folder: &Path) -> Result<()> {
    for (idx, it) in sounds.iter().enumerate() {
        let speaker = file_name(&it.speaker);
        let path = |kind| folder.join(format!("{idx:02}-{speaker}-{kind}.wav"));
        it.prompt.write_wav(path("prompt"))?;
        it.continuation.write_wav(path("continuation"))?;
        it.reconstruction.write_wav(path("reconstruction"))?;
    }
    Ok(())
}

/// A name that is one on every file system.
fn file_name(speaker: &str) -> String {
    speaker.chars().map(|it| if it.is_alphanumeric() { it } else { '_' }).collect()
}

fn write_report(report: &Report, output: &Output) -> Result<()> {
    let text = serde_json::to_string_pretty(report)?;
    output.write(format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_become_file_names() {
        assert_eq!(file_name("../Zoë 7"), "___Zoë_7");
    }
}
