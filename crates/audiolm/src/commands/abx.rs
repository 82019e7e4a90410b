//! `audiolm abx`.

use std::path::PathBuf;

use anyhow::Result;
use audiolm::Clip;
use audiolm::data::{Corpus, Split};
use audiolm::discrimination::{AbxReport, DiscriminationOptions, Labels, Tokenizers, discriminate};
use audiolm::pipeline::Bundle;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::recordings::RecordingsArgs;
use crate::output::Output;
use crate::session::Session;
use crate::{numbers, progress};

/// Measure whether semantic tokens tell words or phones apart, within and across speakers
///
/// ABX: is an example nearer to another of its word than to one of another word? Semantic tokens are
/// measured beside MFCCs and the codes of the bundle's codec. Lower is better, 50 % is chance. Each recording is an
/// example of its transcript in the manifest, a word of its own, unless --items names phones in them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AbxArgs {
    #[command(flatten)]
    recordings: RecordingsArgs,
    /// Measure this semantic tokenizer, such as a run exports, instead of a bundle
    #[arg(long, value_name = "DIR", conflicts_with = "bundle")]
    tokenizer: Option<PathBuf>,
    /// A split to measure on; may be given more than once [default: valid and test]
    #[arg(long = "split", value_name = "SPLIT", value_parser = split_names())]
    splits: Vec<Split>,
    /// Phones in the recordings, as ZeroSpeech and Libri-Light label them
    #[arg(long, value_name = "FILE.item")]
    items: Option<PathBuf>,
    /// Compare at most so many examples of a word by one speaker
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = numbers::count,
          allow_negative_numbers = true)]
    most_examples: usize,
    /// A JSON file to write the report to
    #[arg(short, long, value_name = "OUT.json")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm abx --data recordings/ --set digits
  audiolm abx --data recordings/ --set digits --split test --json
  audiolm abx --data recordings/ --tokenizer runs/mine/export/semantic-tokenizer
  audiolm abx --data dev-clean/ --split train --items dev-clean.item --most-examples 10";

impl AbxArgs {
    /// Measures.
    pub fn run(&self, session: &Session) -> Result<()> {
        let output = self.output.as_deref().map(Output::json).transpose()?;
        let corpus = self.recordings.corpus()?;
        let labels = self.items.clone().map_or(Labels::Transcripts, Labels::Items);
        let labelled = labels.read(&self.recordings.chosen(&corpus, &self.splits())?)?;
        let options = self.options(&corpus, session.seed())?;
        let tokenizers = self.tokenizers(session)?;
        let report = discriminate(&tokenizers, &labelled, &options, &mut progress::comparing())?;
        if let Some(output) = &output {
            write(&report, output)?;
        }
        session.print(&report)
    }

    fn tokenizers(&self, session: &Session) -> Result<Tokenizers> {
        let device = session.device()?;
        Ok(match &self.tokenizer {
            Some(folder) => Tokenizers::semantic(folder, &device)?,
            None => Tokenizers::of_bundle(&Bundle::open(session.bundle_folder()?)?, &device)?,
        })
    }

    fn splits(&self) -> Vec<Split> {
        match self.splits.is_empty() {
            true => vec![Split::Valid, Split::Test],
            false => self.splits.clone(),
        }
    }

    /// MFCCs are clustered on what is not measured.
    fn options(&self, corpus: &Corpus, seed: u64) -> Result<DiscriminationOptions> {
        let train = match self.splits().contains(&Split::Train) {
            true => Vec::new(),
            false => corpus.of(Split::Train),
        };
        let train = train.into_iter().map(|it| Clip::read(&it.path)).collect::<Result<_, _>>()?;
        let (most_examples, quantizers) = (self.most_examples, vec![1, 3]);
        Ok(DiscriminationOptions { most_examples, seed, quantizers, train })
    }
}

fn split_names() -> impl TypedValueParser<Value = Split> {
    PossibleValuesParser::new(Split::ALL.map(Split::name))
        .map(|it| Split::from_name(&it).expect("one of the names above"))
}

fn write(report: &AbxReport, output: &Output) -> Result<()> {
    let text = serde_json::to_string_pretty(report)?;
    output.write(format!("{text}\n").as_bytes())
}
