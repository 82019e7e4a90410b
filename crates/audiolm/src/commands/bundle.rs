//! `audiolm bundle`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use audiolm::Clip;
use audiolm::codec::CodecConfig;
use audiolm::nn::Precision;
use audiolm::pipeline::{
    AssembleOptions, Bundle, RedecodeOptions, WindowFrames, assemble, redecoded,
};
use audiolm::train::{Plan, Preset};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::session::Session;

/// Make a bundle of the finished stages of a run
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BundleArgs {
    /// The folder of the run
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// The bundle, a new folder
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// What it is called
    #[arg(long)]
    name: String,
    /// How wide its weights are
    #[arg(long, value_enum, default_value_t = Width::Half)]
    precision: Width,
    /// Take all but the codec from this bundle, whose codes the codec of the run decodes
    #[arg(long, value_name = "BUNDLE", conflicts_with = "prompt")]
    rest_of: Option<PathBuf>,
    /// A recording to put in, which `audiolm continue` continues when it is given none
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm bundle --run runs/mine -o models/mine --name mine
  audiolm bundle --run runs/decoder --rest-of models/mine -o models/clearer --name clearer
  audiolm continue hello.flac --bundle models/mine";

/// How wide weights are.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Width {
    /// 16 bits
    Half,
    /// 32 bits
    Full,
}

/// A bundle that was made.
#[derive(Debug, Serialize)]
struct Made {
    bundle: PathBuf,
    name: String,
}

impl BundleArgs {
    /// Assembles the bundle.
    pub fn run(&self, session: &Session) -> Result<()> {
        match &self.rest_of {
            Some(bundle) => self.redecode(bundle, session)?,
            None => self.assemble(session)?,
        }
        session.print(&Made { bundle: self.output.clone(), name: self.name.clone() })
    }

    fn redecode(&self, bundle: &Path, session: &Session) -> Result<()> {
        let options = RedecodeOptions { name: self.name.clone(), precision: self.precision.into() };
        let (bundle, codec) = (Bundle::open(bundle)?, self.run.join("export/codec"));
        redecoded(&bundle, &codec, &self.output, &options, &session.device()?)?;
        Ok(())
    }

    fn assemble(&self, session: &Session) -> Result<()> {
        let plan = plan_of_run(&self.run)?;
        let codec = CodecConfig::load_from(&self.run.join("export/codec"))?.spec();
        let rate_hz = codec.sample_rate_hz as u32;
        let prompt = self.prompt.as_ref().map(|it| Clip::read_at(it, rate_hz)).transpose()?;
        let options = AssembleOptions {
            name: self.name.clone(),
            precision: self.precision.into(),
            window_frames: window_frames(&plan, codec.frames_per_second()),
            prompt,
        };
        assemble(&self.run.join("export"), &self.output, &options, &session.device()?)?;
        Ok(())
    }
}

/// The settings of a training run.
pub(super) fn plan_of_run(run: &Path) -> Result<Plan> {
    let path = run.join("plan.toml");
    ensure!(path.is_file(), "{}: expected the folder of a run, with plan.toml", run.display());
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(Plan::preset(Preset::Tiny).with_overrides(&text, &path)?)
}

/// Each stage sees as much at once as the crops it was trained on.
fn window_frames(plan: &Plan, frames_per_second: f64) -> WindowFrames {
    let frames = |seconds: f64| (seconds * frames_per_second).round() as usize;
    WindowFrames {
        semantic: frames(plan.semantic.crop_seconds),
        coarse: frames(plan.coarse.crop_seconds),
        fine: frames(plan.fine.crop_seconds),
        parallel: Some(frames(plan.parallel.crop_seconds)),
    }
}

impl From<Width> for Precision {
    fn from(width: Width) -> Self {
        match width {
            Width::Half => Self::Half,
            Width::Full => Self::Full,
        }
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: bundle {}", self.bundle.display(), self.name)
    }
}
