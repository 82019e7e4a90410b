//! `audiolm score`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use audiolm::AudioLm;
use audiolm::pipeline::{Score, Scored};
use audiolm::preference::{Pair, Preference};
use audiolm::transformer::LogLikelihood;
use clap::Args;
use serde::Serialize;

use super::sound::{about, read};
use crate::session::Session;

/// Say how likely recordings are to the language models, in nats: the higher, the likelier
///
/// What counts is what is said, the semantic ids, each given those before it. Without any training
/// on text, this tells words from non-words and common sentences from strange ones, as far as the models
/// have learnt to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ScoreArgs {
    /// The recordings
    #[arg(value_name = "RECORDING", required_unless_present = "pairs")]
    recordings: Vec<PathBuf>,
    /// Score coarse and fine codes too: how it sounds
    #[arg(long)]
    codes: bool,
    /// Say how often the first recording of a pair is the likelier: a CSV file with the columns right
    /// and wrong, paths relative to it
    #[arg(long, value_name = "PAIRS.csv")]
    pairs: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm score hello.flac
  audiolm score a.flac b.flac --codes --json
  audiolm score --pairs swuggy/pairs.csv";

/// What is printed.
#[derive(Debug, Serialize)]
struct Scores {
    recordings: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preference: Option<Preference>,
}

/// One recording.
#[derive(Debug, Serialize)]
struct Row {
    recording: PathBuf,
    seconds: f64,
    semantic: Figures,
    durations: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    coarse: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fine: Option<Figures>,
}

/// One log-likelihood, in nats.
#[derive(Debug, Clone, Copy, Serialize)]
struct Figures {
    n_tokens: usize,
    nats: f64,
    nats_per_token: f64,
    nats_per_second: f64,
}

impl ScoreArgs {
    /// Scores.
    pub fn run(&self, session: &Session) -> Result<()> {
        let pairs = self.pairs.as_deref().map(Pair::read).transpose()?;
        let lm = session.load()?;
        let recordings =
            self.recordings.iter().map(|it| self.row(&lm, it)).collect::<Result<_>>()?;
        let preference = pairs.map(|it| Preference::measure(&lm, &it)).transpose()?;
        session.print(&Scores { recordings, preference })
    }

    fn row(&self, lm: &AudioLm, path: &Path) -> Result<Row> {
        let scored = if self.codes { Scored::Everything } else { Scored::Semantic };
        let score = about(path, lm.score(&read(path)?, scored))?;
        Ok(Row::new(path, &score))
    }
}

impl Row {
    fn new(path: &Path, score: &Score) -> Self {
        let figures = |it: LogLikelihood| Figures::new(it, score.seconds);
        Self {
            recording: path.to_owned(),
            seconds: score.seconds,
            semantic: figures(score.semantic),
            durations: figures(score.durations),
            coarse: score.codes.map(|it| figures(it.coarse)),
            fine: score.codes.map(|it| figures(it.fine)),
        }
    }
}

impl Figures {
    fn new(of: LogLikelihood, seconds: f64) -> Self {
        Self {
            n_tokens: of.tokens,
            nats: of.nats,
            nats_per_token: of.per_token(),
            nats_per_second: of.nats / seconds,
        }
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.recordings.iter().map(ToString::to_string).collect();
        lines.extend(self.preference.map(|it| {
            format!(
                "of {} pairs the right one is the likelier in {:.1} %, by the mean of a token in {:.1} %",
                it.n_pairs,
                100.0 * it.accuracy,
                100.0 * it.accuracy_per_token
            )
        }));
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:.2} s", self.recording.display(), self.seconds)?;
        let all = [
            ("semantic", Some(self.semantic)),
            ("durations", Some(self.durations)),
            ("coarse", self.coarse),
            ("fine", self.fine),
        ];
        for (name, figures) in all {
            let Some(Figures { n_tokens, nats_per_token, nats_per_second, .. }) = figures else {
                continue;
            };
            write!(
                f,
                "\n{name:>10} {nats_per_token:8.3} nats per token {nats_per_second:9.2} per second \
                 {n_tokens:7} tokens"
            )?;
        }
        Ok(())
    }
}
