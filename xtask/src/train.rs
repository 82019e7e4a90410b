//! `cargo xtask train`: the command of the binary, built for speed.

use anyhow::Result;
use clap::Args;

use crate::shell::{cargo, run};

/// Everything that `audiolm train` takes.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct TrainArgs {
    /// The stage and its options; `--features NAME` before them compiles another device in
    #[arg(long, value_name = "NAME")]
    features: Option<String>,
    /// Handed to `audiolm train` as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

impl TrainArgs {
    /// Trains.
    pub fn run(&self) -> Result<()> {
        let mut command = cargo();
        command.args(["run", "--release", "--package", "audiolm"]);
        command.args(self.features.iter().flat_map(|it| ["--features", it]));
        command.args(["--", "train"]).args(&self.rest);
        // Paths are meant from where the task was called.
        command.current_dir(std::env::current_dir()?);
        run(&mut command)
    }
}
