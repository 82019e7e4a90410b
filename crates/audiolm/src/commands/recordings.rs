//! The recordings that something is measured on.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use audiolm::data::{Corpus, CorpusOptions, Recording, Split};
use clap::Args;

/// Where recordings are.
#[derive(Debug, Args)]
pub struct RecordingsArgs {
    /// The recordings: any folder of audio, with or without a manifest.csv
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A manifest other than the manifest.csv of the folder
    #[arg(long, value_name = "FILE.csv")]
    manifest: Option<PathBuf>,
    /// A set of the manifest to measure on; may be given more than once [default: all]
    #[arg(long = "set", value_name = "NAME")]
    sets: Vec<String>,
}

impl RecordingsArgs {
    /// Lists them.
    pub fn corpus(&self) -> Result<Corpus> {
        let (sets, manifest) = (self.sets.clone(), self.manifest.clone());
        Ok(Corpus::open(&self.data, &CorpusOptions { sets, manifest, ..Default::default() })?)
    }

    /// Those of some splits, of which there has to be one.
    pub fn chosen<'a>(&self, corpus: &'a Corpus, splits: &[Split]) -> Result<Vec<&'a Recording>> {
        let among = |it: &&Recording| splits.contains(&it.split);
        let chosen: Vec<_> = corpus.recordings().iter().filter(among).collect();
        let found = Split::ALL.map(|it| format!("{} {it}", corpus.of(it).len()));
        ensure!(
            !chosen.is_empty(),
            "{}: no recordings in this split, found {}; choose with --split",
            self.data.display(),
            found.join(", ")
        );
        Ok(chosen)
    }
}
