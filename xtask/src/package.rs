//! Packaging of all library crates, each built from its own archive.

use anyhow::Result;
use clap::Args;

use crate::shell::{cargo, run};

/// What `cargo package` takes.
#[derive(Args)]
pub struct PackageArgs {
    /// Handed to `cargo package` as they are, `--allow-dirty` for example
    #[arg(last = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

impl PackageArgs {
    /// Packages everything that is published, in one call: the crates depend on one another.
    pub fn run(&self) -> Result<()> {
        let mut command = cargo();
        command.args([
            "package",
            "--workspace",
            "--exclude",
            "xtask",
            "--exclude",
            "audiolm-tests",
        ]);
        run(command.args(&self.rest))
    }
}
