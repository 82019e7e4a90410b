//! `audiolm spectrogram`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use audiolm::plot::{FrequencyScale, Panel, Spectrogram};
use clap::Args;
use serde::Serialize;

use super::sound::read;
use crate::output::Output;
use crate::session::Session;

/// Draw recordings as pictures of their frequencies, one above the other
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SpectrogramArgs {
    /// The recordings
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// The PNG file to write
    #[arg(short, long, value_name = "OUT.png")]
    output: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  audiolm spectrogram hello.flac -o hello.png
  audiolm spectrogram hello.flac codec.wav -o compared.png";

/// Pictures that were written.
#[derive(Debug, Serialize)]
pub(super) struct Pictures {
    /// Where they are.
    pub(super) pictures: Vec<PathBuf>,
}

impl SpectrogramArgs {
    /// Draws.
    pub fn run(&self, session: &Session) -> Result<()> {
        let output = Output::png(&self.output)?;
        let panels = self.inputs.iter().map(|it| panel(it)).collect::<Result<_>>()?;
        let picture = Spectrogram { title: String::new(), panels, scale: FrequencyScale::Mel };
        picture.save(output.path())?;
        session.print(&Pictures { pictures: vec![self.output.clone()] })
    }
}

fn panel(path: &Path) -> Result<Panel> {
    let clip = read(path)?;
    let title = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Panel { title, samples: clip.samples, sample_rate_hz: clip.sample_rate_hz })
}

impl fmt::Display for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self.pictures.iter().map(|it| it.display().to_string()).collect();
        f.write_str(&shown.join("\n"))
    }
}
