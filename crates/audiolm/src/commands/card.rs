//! `audiolm card`.

mod model_card;

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use audiolm::evaluation::Report;
use audiolm::pipeline::Bundle;
use clap::Args;
use serde::Serialize;

use super::bundle::plan_of_run;
use super::plot::draw_curves;
use crate::output::write_bytes;
use crate::session::Session;
use model_card::{Curves, ModelCard};

/// The folder for the pictures, in the bundle.
const CURVES: &str = "curves";

/// Write the model card of a bundle: what it holds, how it was trained, how good it is
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CardArgs {
    /// The folder of the run that the bundle was made of
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// What `audiolm evaluate -o` has written about the bundle
    #[arg(long, value_name = "REPORT.json")]
    report: Option<PathBuf>,
    /// What else there is to say, as Markdown: the recordings, whom to thank, what it cannot do
    #[arg(long, value_name = "FILE.md")]
    notes: Option<PathBuf>,
    /// The licence of the bundle, by its name on Hugging Face, such as cc-by-4.0
    #[arg(long, value_name = "NAME")]
    license: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm card --bundle models/mine --run runs/mine
  audiolm evaluate --data unheard/ --split all --bundle models/mine --run runs/mine -o report.json
  audiolm card --bundle models/mine --run runs/mine --report report.json --notes about.md";

/// A card that was written.
#[derive(Debug, Serialize)]
struct Written {
    card: PathBuf,
    pictures: Vec<PathBuf>,
}

impl CardArgs {
    /// Writes README.md and the curves into the bundle.
    pub fn run(&self, session: &Session) -> Result<()> {
        let folder = session.bundle_folder()?;
        let bundle = Bundle::open(&folder)?;
        let plan = plan_of_run(&self.run)?;
        let (report, notes) = (self.report()?, self.notes()?);
        let pictures = draw_curves(&self.run, &folder.join(CURVES))?;
        ensure!(
            !pictures.is_empty(),
            "{}: no stage has measured anything in this folder",
            self.run.display()
        );
        let card = ModelCard {
            bundle: &bundle,
            plan: &plan,
            report: report.as_ref(),
            notes: notes.as_deref(),
            license: self.license.as_deref(),
            curves: Curves { folder: CURVES, pictures: &pictures },
        };
        let path = folder.join("README.md");
        write_bytes(&path, card.to_markdown()?.as_bytes())?;
        session.print(&Written { card: path, pictures })
    }

    fn report(&self) -> Result<Option<Report>> {
        let Some(path) = &self.report else { return Ok(None) };
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        let report = serde_json::from_slice(&text)
            .with_context(|| format!("{}: not a report of evaluate", path.display()))?;
        Ok(Some(report))
    }

    fn notes(&self) -> Result<Option<String>> {
        let read =
            |it: &PathBuf| std::fs::read_to_string(it).with_context(|| it.display().to_string());
        self.notes.as_ref().map(read).transpose()
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, with {} curves", self.card.display(), self.pictures.len())
    }
}
