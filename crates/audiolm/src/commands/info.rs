//! `audiolm info`.

mod bundle;
mod run;
mod weights;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::session::Session;
use bundle::BundleInfo;
use run::{CheckpointInfo, RunInfo};
pub(super) use weights::WeightsInfo;

/// Show what a bundle, a training run, a checkpoint or a file of weights holds
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InfoArgs {
    /// A bundle, the folder of a run, a checkpoint in it, or a .safetensors file [default: the
    /// bundle]
    #[arg(value_name = "BUNDLE|CHECKPOINT")]
    path: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm info
  audiolm info models/mine --json
  audiolm info runs/mine
  audiolm info runs/mine/codec/checkpoint";

impl InfoArgs {
    /// Shows it.
    pub fn run(&self, session: &Session) -> Result<()> {
        let path = match &self.path {
            Some(path) => path.clone(),
            None => session.bundle_folder()?,
        };
        if path.extension().is_some_and(|it| it == "safetensors") {
            return session.print(&WeightsInfo::of_file(&path)?);
        }
        match Kind::of(&path)? {
            Kind::Bundle => session.print(&BundleInfo::of(&path)?),
            Kind::Run => session.print(&RunInfo::of(&path)?),
            Kind::Checkpoint => session.print(&CheckpointInfo::of(&path)?),
        }
    }
}

/// What a folder is, by the file that only its kind has.
enum Kind {
    Bundle,
    Run,
    Checkpoint,
}

impl Kind {
    fn of(folder: &Path) -> Result<Self> {
        let has = |file: &str| folder.join(file).is_file();
        if has("bundle.json") {
            return Ok(Self::Bundle);
        }
        if has("plan.toml") {
            return Ok(Self::Run);
        }
        if has("state.json") {
            return Ok(Self::Checkpoint);
        }
        let shown = folder.display();
        if !folder.exists() {
            bail!("{shown}: no such file or folder");
        }
        bail!(
            "{shown}: expected a bundle (with bundle.json), a training run (with plan.toml), a \
             checkpoint (with state.json) or a .safetensors file"
        )
    }
}
