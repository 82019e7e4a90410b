//! `audiolm plot`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use audiolm::plot::LineChart;
use audiolm::train::{Stage, loss_curves, read_metrics};
use clap::Args;

use super::spectrogram::Pictures;
use crate::session::Session;

/// Draw the loss curves of a training run, one picture for each stage
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PlotArgs {
    /// The folder of the run
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// The folder for the pictures [default: plots, in the folder of the run]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm plot --run runs/mine
  audiolm plot --run runs/mine -o pictures/";

impl PlotArgs {
    /// Draws.
    pub fn run(&self, session: &Session) -> Result<()> {
        let folder = self.output.clone().unwrap_or_else(|| self.run.join("plots"));
        let pictures = draw_curves(&self.run, &folder)?;
        ensure!(
            !pictures.is_empty(),
            "{}: nothing to draw: no stage has measured anything in this folder",
            self.run.display()
        );
        session.print(&Pictures { pictures })
    }
}

/// One picture for each stage of a run that has measured anything.
pub(super) fn draw_curves(run: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for stage in Stage::ALL {
        let metrics = run.join(stage.name()).join("metrics.jsonl");
        if metrics.is_file()
            && let Some(chart) = loss_curves(stage, &read_metrics(&metrics)?)
        {
            let path = folder.join(stage.name()).with_extension("png");
            save(&chart, &path)?;
            pictures.push(path);
        }
    }
    Ok(pictures)
}

fn save(chart: &LineChart, path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    Ok(chart.save(path)?)
}
