//! Our models beside those of audiolm-pytorch: trained on the same recordings, or drawing tokens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use serde::Deserialize;

use crate::compare_generation::GenerationArgs;
use crate::shell::{self, cargo, root, say};

/// What is compared.
#[derive(Args)]
pub struct CompareArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// SoundStream, from scratch: after as many steps, and after as much time
    Codec(CodecArgs),
    /// How fast tokens are drawn: ours and PyTorch's, in turns
    Generation(GenerationArgs),
}

/// How to compare codecs.
#[derive(Args)]
struct CodecArgs {
    /// The folder of recordings at 16 kHz, with a manifest.csv
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The set of recordings to train on, and to hold out
    #[arg(long, default_value = "speech/en")]
    set: String,
    /// Steps of both
    #[arg(long, default_value_t = 100)]
    steps: u64,
    /// Crops in a batch
    #[arg(long, default_value_t = 4)]
    batch: u64,
    /// Samples of a crop; a multiple of 320
    #[arg(long, default_value_t = 16_000)]
    crop_samples: u64,
    /// A Python that has audiolm-pytorch: xtask/peers/codec.py says how to install it
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// The folder for everything that is made, a new one
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// A training that was timed.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Trained {
    steps: u64,
    seconds: f64,
}

/// What one codec makes of the held-out clips.
#[derive(Deserialize)]
struct Measured {
    clips: usize,
    log_mel: f64,
}

impl CompareArgs {
    /// Compares.
    pub fn run(&self) -> Result<()> {
        match &self.what {
            What::Codec(args) => args.run(),
            What::Generation(args) => args.run(),
        }
    }
}

impl CodecArgs {
    fn run(&self) -> Result<()> {
        ensure!(!self.output.exists(), "{}: exists already", self.output.display());
        shell::run(cargo().args(["build", "--release", "--package", "audiolm"]))?;
        fs::create_dir_all(&self.output)?;
        let clips = self.at("clips");
        self.python(&["clips", "--data", text(&self.data)?, "--set", &self.set, "--out", &clips])?;

        let peer = self.train_peer(&clips)?;
        let ours = self.train_ours("ours", self.steps)?;
        let longer = (self.steps as f64 * peer.seconds / ours.seconds) as u64;
        let as_long = self.train_ours("ours-as-long", longer.max(1))?;

        let folders = ["peer", "ours", "ours-as-long"].map(|it| self.at(it));
        let mut job = vec!["measure", "--clips", &clips];
        job.extend(folders.iter().map(String::as_str));
        let measured = self.python(&job)?;
        let measured: Vec<Measured> =
            measured.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let names = ["audiolm-pytorch", "ours, as many steps", "ours, as much time"];
        let mut table =
            "| | Steps | Seconds | Held-out log-mel distance |\n|---|---|---|---|\n".to_owned();
        for ((name, trained), measured) in names.iter().zip([peer, ours, as_long]).zip(&measured) {
            let Trained { steps, seconds } = trained;
            let Measured { clips, log_mel } = measured;
            table +=
                &format!("| {name} | {steps} | {seconds:.0} | {log_mel:.3} ({clips} clips) |\n");
        }
        fs::write(self.output.join("comparison.md"), &table)?;
        say(&format!("compared:\n{table}"));
        Ok(())
    }

    /// Trains the peer, which then reconstructs the clips into `peer`.
    fn train_peer(&self, clips: &str) -> Result<Trained> {
        let threads = std::thread::available_parallelism()?.to_string();
        let numbers = [self.steps, self.batch, self.crop_samples].map(|it| it.to_string());
        let (data, out) = (text(&self.data)?, self.at("peer"));
        let said = self.python(&[
            "train",
            "--data",
            data,
            "--set",
            &self.set,
            "--steps",
            &numbers[0],
            "--batch",
            &numbers[1],
            "--crop-samples",
            &numbers[2],
            "--threads",
            &threads,
            "--clips",
            clips,
            "--out",
            &out,
        ])?;
        Ok(serde_json::from_str(said.trim())?)
    }

    /// Trains ours, which then reconstructs the clips into `name`. Its time is that of the whole
    /// command: decoding the recordings, k-means and the last checkpoint count.
    fn train_ours(&self, name: &str, steps: u64) -> Result<Trained> {
        let (run, config) = (self.at(&format!("{name}-run")), self.at(&format!("{name}.toml")));
        fs::write(&config, self.plan(steps))?;
        let began = Instant::now();
        let data = text(&self.data)?;
        audiolm(&[
            "train", "codec", "--preset", "paper", "--data", data, "--run", &run, "--config",
            &config,
        ])?;
        let seconds = began.elapsed().as_secs_f64();
        let codec = format!("{run}/export/codec");
        fs::create_dir(self.output.join(name))?;
        for clip in fs::read_dir(self.output.join("clips"))? {
            let clip = clip?.path();
            let out = self.output.join(name).join(clip.file_name().context("a clip has a name")?);
            audiolm(&["reconstruct", text(&clip)?, "-o", text(&out)?, "--codec", &codec])?;
        }
        Ok(Trained { steps, seconds })
    }

    /// The codec of SoundStream's size against its discriminators, from the first step.
    fn plan(&self, steps: u64) -> String {
        let Self { set, batch, crop_samples, .. } = self;
        format!(
            "[data]\nsets = [\"{set}\"]\n\n\
             [codec]\nbatch = {batch}\nbatches_per_step = 1\ncrop_samples = {crop_samples}\n\n\
             [codec.schedule]\nsteps = {steps}\nwarmup_steps = {}\n\n\
             [codec.adversary]\nstarts_at = 0\n\n\
             [codec.cadence]\nlog_every = 1\nvalidate_every = {steps}\nsave_every = {steps}\n",
            steps.div_ceil(20)
        )
    }

    fn at(&self, name: &str) -> String {
        self.output.join(name).to_string_lossy().into_owned()
    }

    /// What a job of the peer's script prints.
    fn python(&self, arguments: &[&str]) -> Result<String> {
        say(&format!("{} xtask/peers/codec.py {}", self.python.display(), arguments.join(" ")));
        let script = root().join("xtask").join("peers").join("codec.py");
        let mut command = Command::new(&self.python);
        let output = command.arg(script).args(arguments).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| self.python.display().to_string())?;
        ensure!(output.status.success(), "{}: failed ({})", arguments[0], output.status);
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Runs the binary that was built for speed, from where the task was called.
fn audiolm(arguments: &[&str]) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--package", "audiolm", "--"]).args(arguments);
    shell::run(command.current_dir(std::env::current_dir()?))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{}: expected a name in UTF-8", path.display()))
}
