//! The tasks of the workspace, as `cargo xtask <task>`. `check` is the one gate.

mod arrows;
mod check;
mod compare;
mod compare_generation;
mod package;
mod shell;
mod smoke;
mod tidy;
mod tones;
mod train;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The gate: everything that has to hold before a change goes in, cheapest first
    Check(check::CheckArgs),
    /// Train one stage or all: `audiolm train`, built for speed
    Train(train::TrainArgs),
    /// Train every stage for seconds on generated sounds, bundle them, and continue a prompt
    Smoke,
    /// Compare our models with those of audiolm-pytorch: trained on the same recordings, or drawing tokens
    Compare(compare::CompareArgs),
    /// Package every library crate as for publication
    Package(package::PackageArgs),
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Check(args) => args.run(),
        Task::Train(args) => args.run(),
        Task::Smoke => smoke::run(),
        Task::Compare(args) => args.run(),
        Task::Package(args) => args.run(),
    }
}
