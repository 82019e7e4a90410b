//! `audiolm infill`.

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use audiolm::InfillOptions;
use audiolm::pipeline::{Candidates, Gap};
use clap::Args;
use serde::Serialize;

use super::sampling::SamplingArgs;
use super::sound::{Sound, about, read};
use super::telling::TellingArgs;
use crate::output::Output;
use crate::session::Session;
use crate::{numbers, progress};

/// Make a gap in a recording anew, so that it fits what comes before and what follows
///
/// Outside the gap the recording stays as it is, but for 20 ms on both sides, in which it fades. The
/// models hear nothing of what was in the gap. Several candidates are drawn from the left, and one is chosen by
/// how likely it makes what follows.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InfillArgs {
    /// The recording
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The WAV file to write
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    /// Where the gap begins, in seconds; it is widened to whole frames
    #[arg(long, value_name = "S", value_parser = numbers::place, allow_negative_numbers = true)]
    from: f64,
    /// Where it ends
    #[arg(long, value_name = "S", value_parser = numbers::place, allow_negative_numbers = true)]
    to: f64,
    /// How many seconds to fill it with [default: as many as it has]
    #[arg(long, value_name = "S", value_parser = numbers::seconds, allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// How many candidates to choose among, of what is said and then of how it sounds; 1 looks at the left
    /// side alone
    #[arg(long, value_name = "N", default_value_t = InfillOptions::default().candidates,
          value_parser = numbers::count, allow_negative_numbers = true)]
    candidates: usize,
    #[command(flatten)]
    telling: TellingArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const EXAMPLES: &str = "\
Examples:
  audiolm infill hello.flac -o mended.wav --from 2.0 --to 3.5
  audiolm infill hello.flac -o shorter.wav --from 2.0 --to 3.5 --seconds 0.3
  audiolm infill hello.flac -o longer.wav --from 2 --to 2 --seconds 0.5 --candidates 16 --json";

/// A recording with a gap that was filled.
#[derive(Debug, Serialize)]
struct Filled {
    #[serde(flatten)]
    sound: Sound,
    /// Where what was made begins and ends.
    gap_seconds: [f64; 2],
    /// What was chosen among.
    semantic: Candidates,
    coarse: Candidates,
}

impl InfillArgs {
    /// Fills the gap.
    pub fn run(&self, session: &Session) -> Result<()> {
        let began = Instant::now();
        let output = Output::wav(&self.output)?.beside(&self.input)?;
        let recording = read(&self.input)?;
        let options = InfillOptions {
            seconds: self.seconds,
            candidates: self.candidates,
            seed: session.seed(),
            sampling: self.telling.guided(self.sampling.stages()),
        };
        let (lm, gap) = (self.telling.load(session)?, Gap { from: self.from, to: self.to });
        let filled = lm.infill_with(&recording, gap, &options, &mut progress::stages());
        let filled = about(&self.input, filled)?;
        let seconds = |at: usize| at as f64 / f64::from(filled.clip.sample_rate_hz);
        session.print(&Filled {
            sound: Sound::write(&filled.clip, &output, began)?.with_seed(options.seed),
            gap_seconds: [filled.gap_samples.start, filled.gap_samples.end].map(seconds),
            semantic: filled.semantic,
            coarse: filled.coarse,
        })
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = self.gap_seconds;
        write!(f, "{}, made anew from {from:.2} to {to:.2} s", self.sound)?;
        match self.semantic.log_likelihoods.len() {
            1 => Ok(()),
            n => write!(
                f,
                "; of {n} candidates the chosen make the right side likelier than the others do by {:.1} nats \
                 (what is said) and {:.1} nats (how it sounds)",
                self.semantic.gain(),
                self.coarse.gain()
            ),
        }
    }
}
