//! What can be typed.

use std::path::PathBuf;

use anyhow::Result;
use audiolm::{DeviceName, Weights};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    AbxArgs, BundleArgs, CardArgs, ContinueArgs, DecodeArgs, EncodeArgs, EvaluateArgs,
    GenerateArgs, ImportArgs, InfillArgs, InfoArgs, PlotArgs, ReconstructArgs, ResynthesizeArgs,
    ScoreArgs, SpectrogramArgs, TokenizeArgs, TrainArgs,
};
use crate::numbers;
use crate::session::Session;

/// Language modelling of raw audio: continue speech or music from a few seconds of sound
///
/// Every model here is trained from recordings alone. A bundle is a folder with all models of one
/// training run; without --bundle the one that ships with the project is used.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  audiolm continue                              continue the prompt of the bundle
  audiolm continue hello.flac -o out.wav        continue a recording of yours
  audiolm train all --data recordings/ --run runs/mine
  audiolm bundle --run runs/mine -o models/mine --name mine
  audiolm continue hello.flac --bundle models/mine";

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The bundle to use [default: $AUDIOLM_BUNDLE, else models/speech-tiny, looked for in the
    /// folders above this program and above the current folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Where to compute: flex (CPU), wgpu, vulkan, metal, cuda, rocm, or a GPU by number as in
    /// cuda:1 [default: $BURN_DEVICE, else the first that is compiled in]
    #[arg(long, global = true, value_name = "NAME")]
    pub device: Option<DeviceName>,
    /// What the weights of the language models are multiplied as: eight bits are faster, and change
    /// a little what is drawn
    #[arg(long, global = true, value_name = "TYPE", default_value = Weights::default().name(),
          value_parser = weights())]
    pub weights: Weights,
    /// What chance is made of: the same seed gives the same result [default: 0]
    #[arg(long, global = true, value_name = "N", value_parser = numbers::seed,
          allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

fn weights() -> impl TypedValueParser<Value = Weights> {
    PossibleValuesParser::new(Weights::ALL.map(Weights::name))
        .map(|name| Weights::from_name(&name).unwrap_or_default())
}

#[derive(Subcommand)]
enum Command {
    Continue(ContinueArgs),
    Generate(GenerateArgs),
    Infill(InfillArgs),
    Resynthesize(ResynthesizeArgs),
    Reconstruct(ReconstructArgs),
    Encode(EncodeArgs),
    Decode(DecodeArgs),
    Tokenize(TokenizeArgs),
    Score(ScoreArgs),
    Import(ImportArgs),
    Info(InfoArgs),
    Train(TrainArgs),
    Bundle(BundleArgs),
    Card(CardArgs),
    Evaluate(EvaluateArgs),
    Abx(AbxArgs),
    Plot(PlotArgs),
    Spectrogram(SpectrogramArgs),
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> Result<()> {
        let session = Session::new(self.global);
        match self.command {
            Command::Continue(args) => args.run(&session),
            Command::Generate(args) => args.run(&session),
            Command::Infill(args) => args.run(&session),
            Command::Resynthesize(args) => args.run(&session),
            Command::Reconstruct(args) => args.run(&session),
            Command::Encode(args) => args.run(&session),
            Command::Decode(args) => args.run(&session),
            Command::Tokenize(args) => args.run(&session),
            Command::Score(args) => args.run(&session),
            Command::Import(args) => args.run(&session),
            Command::Info(args) => args.run(&session),
            Command::Train(args) => args.run(&session),
            Command::Bundle(args) => args.run(&session),
            Command::Card(args) => args.run(&session),
            Command::Evaluate(args) => args.run(&session),
            Command::Abx(args) => args.run(&session),
            Command::Plot(args) => args.run(&session),
            Command::Spectrogram(args) => args.run(&session),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_one_another() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself_with_examples() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            assert!(command.get_after_help().is_some(), "{}", command.get_name());
        }
    }
}
