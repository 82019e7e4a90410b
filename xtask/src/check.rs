//! The gate, cheapest checks first.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::shell::{cargo, run, say};
use crate::{arrows, tidy};

/// What may be left out of the gate.
#[derive(Args)]
pub struct CheckArgs {
    /// Leave a check out, for a toolchain without its component
    #[arg(long, value_name = "CHECK")]
    without: Vec<Check>,
}

/// The checks, in the order in which they run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Check {
    /// The code is formatted
    Fmt,
    /// Files begin with what they are for, and nothing is left undone
    Tidy,
    /// Crates depend on one another only as they may
    Arrows,
    /// Clippy has nothing to say
    Clippy,
    /// The documentation builds, and its links lead somewhere
    Doc,
    /// The tests pass, those in the documentation too
    Test,
}

impl CheckArgs {
    /// Runs the gate.
    pub fn run(&self) -> Result<()> {
        for check in Check::value_variants().iter().filter(|it| !self.without.contains(it)) {
            check.run()?;
        }
        say("all is well");
        Ok(())
    }
}

impl Check {
    fn run(self) -> Result<()> {
        match self {
            Self::Fmt => run(cargo().args(["fmt", "--all", "--check"])),
            Self::Tidy => tidy::check(),
            Self::Arrows => arrows::check(),
            Self::Clippy => {
                let command = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                run(cargo().args(command))
            }
            Self::Doc => {
                let mut command = cargo();
                command.env("RUSTDOCFLAGS", "-D warnings");
                run(command.args(["doc", "--workspace", "--no-deps"]))
            }
            Self::Test => run(cargo().args(["test", "--workspace"])),
        }
    }
}
