//! Named numbers of a step, and the file they are kept in.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use audiolm_audio::write_whole;

use crate::TrainError;

/// Numbers, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measures(BTreeMap<String, f64>);

impl Measures {
    /// The same with one number more.
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Every number with so much of its namesake in `other` added, which begins at zero.
    pub(crate) fn plus(mut self, other: Self, share: f64) -> Self {
        for (name, value) in other.0 {
            *self.0.entry(name).or_default() += share * value;
        }
        self
    }

    /// The number of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

/// What a line of a [`MetricsLog`] tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasuredOn {
    /// The batch of the step.
    Train,
    /// Held-out recordings.
    Valid,
    /// Nothing: training has gone wrong at the step that `failed_at` names, and goes on from the
    /// checkpoint of this one.
    Rollback,
}

/// One line of a [`MetricsLog`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricsLine {
    /// Steps done before it.
    pub step: u64,
    /// What it was measured on.
    pub on: MeasuredOn,
    /// The numbers.
    #[serde(flatten)]
    pub measures: Measures,
}

/// Measures of a run as JSON lines.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: File,
}

impl MetricsLog {
    /// Opens the file for a run that goes on at `step`: lines of later steps, which a killed run
    /// has written after its last checkpoint, are dropped.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn open(path: &Path, step: u64) -> Result<Self, TrainError> {
        let kept: Vec<String> = match path.exists() {
            true => read_metrics(path)?
                .into_iter()
                .filter(|it| it.step <= step)
                .map(|it| line(&it))
                .collect(),
            false => Vec::new(),
        };
        write_whole(path, |out| {
            out.write_all(kept.concat().as_bytes()).map_err(TrainError::io(path))
        })?;
        let file = OpenOptions::new().append(true).open(path).map_err(TrainError::io(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn push(&mut self, entry: &MetricsLine) -> Result<(), TrainError> {
        self.file.write_all(line(entry).as_bytes()).map_err(TrainError::io(&self.path))
    }
}

/// Reads the lines of a metrics file; a last line that was cut off is left out.
///
/// # Errors
/// Where the file cannot be read, or a line but the last is damaged.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsLine>, TrainError> {
    let file = File::open(path).map_err(TrainError::io(path))?;
    let lines: Vec<String> =
        BufReader::new(file).lines().collect::<Result<_, _>>().map_err(TrainError::io(path))?;
    let mut read = Vec::with_capacity(lines.len());
    for (number, text) in lines.iter().enumerate() {
        match serde_json::from_str(text) {
            Ok(entry) => read.push(entry),
            Err(_) if number + 1 == lines.len() => {}
            Err(it) => {
                return Err(TrainError::malformed(path, format!("line {}: {it}", number + 1)));
            }
        }
    }
    Ok(read)
}

fn line(entry: &MetricsLine) -> String {
    let json = serde_json::to_string(entry).expect("measures are plain numbers");
    format!("{json}\n")
}
