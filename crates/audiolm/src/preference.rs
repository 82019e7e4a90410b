//! Whether the semantic stage prefers words to non-words and good sentences to bad ones, as sWUGGY
//! and sBLIMP ask (ZeroSpeech 2021: Nguyen et al. 2020, arXiv 2011.11588; AudioLM, table IV).
//!
//! Pairs of recordings come from a CSV file with the columns `right` and `wrong`, paths relative to
//! it. Whether a score should be divided by its tokens is an old dispute, and matters: both figures
//! are reported.

use std::path::{Path, PathBuf};

use audiolm_audio::{AudioError, Clip};
use audiolm_eval::{EvalError, ScoredPair, preference};
use audiolm_pipeline::{AudioLm, PipelineError, Scored};
use audiolm_transformer::LogLikelihood;
use serde::Serialize;

/// Two recordings, the first of which should be the likelier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// A word, a sentence of good grammar.
    pub right: PathBuf,
    /// The like without meaning, or against grammar.
    pub wrong: PathBuf,
}

/// How often the right recording of a pair is the likelier; a tie counts one half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Preference {
    /// How many pairs there are.
    pub n_pairs: usize,
    /// By the log-likelihood of all semantic ids.
    pub accuracy: f64,
    /// By its mean over the ids: lengths do not count.
    pub accuracy_per_token: f64,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum PreferenceError {
    /// The file of pairs cannot be read.
    #[error("{path}: not pairs that can be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: csv::Error,
    },
    /// The file of pairs lacks a column.
    #[error("{path}: expected the columns right and wrong, found {}", .found.join(", "))]
    Columns {
        /// The file.
        path: PathBuf,
        /// Its columns.
        found: Vec<String>,
    },
    /// A recording cannot be read.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The models refuse a recording.
    #[error("{path}: {source}")]
    Refused {
        /// The recording.
        path: PathBuf,
        /// What the models said.
        source: Box<PipelineError>,
    },
    /// Nothing can be compared.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

impl Pair {
    /// Reads a CSV file.
    ///
    /// # Errors
    /// Where it cannot be read, or lacks a column.
    pub fn read(path: &Path) -> Result<Vec<Self>, PreferenceError> {
        let bad = |source| PreferenceError::Unreadable { path: path.to_owned(), source };
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(bad)?;
        let headers = reader.headers().map_err(bad)?.clone();
        let column = |name| headers.iter().position(|it| it == name);
        let (Some(right), Some(wrong)) = (column("right"), column("wrong")) else {
            let found = headers.iter().map(str::to_owned).collect();
            return Err(PreferenceError::Columns { path: path.to_owned(), found });
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let pair = |row: csv::StringRecord| Self {
            right: folder.join(&row[right]),
            wrong: folder.join(&row[wrong]),
        };
        reader.records().map(|row| row.map(pair).map_err(bad)).collect()
    }
}

impl Preference {
    /// Scores both recordings of every pair.
    ///
    /// # Errors
    /// Where there are no pairs, or a recording cannot be read or scored.
    pub fn measure(lm: &AudioLm, pairs: &[Pair]) -> Result<Self, PreferenceError> {
        let (mut sums, mut means) = (Vec::new(), Vec::new());
        for Pair { right, wrong } in pairs {
            let (right, wrong) = (scored(lm, right)?, scored(lm, wrong)?);
            sums.push(ScoredPair { right: right.nats, wrong: wrong.nats });
            means.push(ScoredPair { right: right.per_token(), wrong: wrong.per_token() });
        }
        Ok(Self {
            n_pairs: pairs.len(),
            accuracy: preference(&sums)?,
            accuracy_per_token: preference(&means)?,
        })
    }
}

fn scored(lm: &AudioLm, path: &Path) -> Result<LogLikelihood, PreferenceError> {
    let refused =
        |source| PreferenceError::Refused { path: path.to_owned(), source: Box::new(source) };
    Ok(lm.score(&Clip::read(path)?, Scored::Semantic).map_err(refused)?.semantic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&[[&str; 2]], &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs.csv");
        std::fs::write(&path, text).unwrap();
        let found = Pair::read(&path);
        match expected {
            Ok(pairs) => {
                let at = |it: &str| folder.path().join(it);
                let pair = |[right, wrong]: &[&str; 2]| Pair { right: at(right), wrong: at(wrong) };
                assert_eq!(found.unwrap(), pairs.iter().map(pair).collect::<Vec<_>>());
            }
            Err(part) => {
                let error = found.unwrap_err().to_string();
                assert!(error.contains(part) && error.contains("pairs.csv"), "{error}");
            }
        }
    }

    #[test]
    fn columns_have_names_and_paths_are_beside_the_file() {
        check(
            "id,wrong,right\n1, b.wav ,a.wav\n2,d/e.wav,c.wav\n",
            Ok(&[["a.wav", "b.wav"], ["c.wav", "d/e.wav"]]),
        );
        check("right,wrong\n", Ok(&[]));
    }
    #[test]
    fn other_files_are_refused() {
        check("good,bad\na,b\n", Err("expected the columns right and wrong, found good, bad"));
        check("right,wrong\na\n", Err("not pairs that can be read"));
    }
}
