//! How fast tokens are drawn, beside PyTorch.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;

use crate::shell::{self, cargo, root, say};

/// What both sides measure.
const CASES: [&str; 4] = ["semantic", "coarse", "fine", "paper"];
const BATCHES: [&str; 2] = ["1", "4"];
const WEIGHTS: [&str; 2] = ["float32", "int8"];

/// How to compare generation.
#[derive(Args)]
pub struct GenerationArgs {
    /// A Python that has audiolm-pytorch: xtask/peers/codec.py says how to install it
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// The cases to measure: semantic, coarse, fine, paper
    #[arg(long, value_delimiter = ',', default_values = CASES)]
    cases: Vec<String>,
    /// Threads of both
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// How often both are measured, in turns; the fastest counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Tokens that were drawn in a time.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Drawn {
    tokens: f64,
    seconds: f64,
}

impl Drawn {
    fn rate(self) -> f64 {
        self.tokens / self.seconds
    }
}

impl GenerationArgs {
    /// Compares, and prints a table.
    pub fn run(&self) -> Result<()> {
        let package = ["--package", "audiolm-transformer", "--example", "generation"];
        shell::run(cargo().args(["build", "--release"]).args(package))?;
        let mut table =
            "| | Batch | PyTorch, tokens/s | float32 | | int8 | |\n|---|---|---|---|---|---|---|\n"
                .to_owned();
        for case in &self.cases {
            for batch in BATCHES {
                let [peer, full, narrow] = self.rates(case, batch)?;
                writeln!(
                    table,
                    "| {case} | {batch} | {peer:.0} | {full:.0} | {:.1} times | {narrow:.0} | {:.1} times |",
                    full / peer,
                    narrow / peer,
                )?;
            }
        }
        say(&format!("compared:\n{table}"));
        Ok(())
    }

    /// Tokens a second: PyTorch's, ours, ours in eight bits.
    fn rates(&self, case: &str, batch: &str) -> Result<[f64; 3]> {
        let mut best = [0.0; 3];
        for _ in 0..self.rounds {
            let measured = [
                self.peer(case, batch)?,
                self.ours(case, batch, WEIGHTS[0])?,
                self.ours(case, batch, WEIGHTS[1])?,
            ];
            for (best, drawn) in best.iter_mut().zip(measured) {
                *best = f64::max(*best, drawn.rate());
            }
        }
        Ok(best)
    }

    fn peer(&self, case: &str, batch: &str) -> Result<Drawn> {
        let mut command = Command::new(&self.python);
        command.arg(root().join("xtask").join("peers").join("generation.py")).args([case, batch]);
        drawn(command.env("OMP_NUM_THREADS", self.threads.to_string()))
    }

    fn ours(&self, case: &str, batch: &str, weights: &str) -> Result<Drawn> {
        let mut command = cargo();
        command.args(["run", "--release", "--quiet", "--package", "audiolm-transformer"]);
        command.args(["--example", "generation", "--", case, batch, weights]);
        drawn(command.env("RAYON_NUM_THREADS", self.threads.to_string()))
    }
}

/// What a measurement printed.
fn drawn(command: &mut Command) -> Result<Drawn> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stderr(Stdio::inherit()).output().context(program.clone())?;
    ensure!(output.status.success(), "{program}: failed ({})", output.status);
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().last().context("a measurement prints a line")?;
    Ok(serde_json::from_str(line)?)
}
