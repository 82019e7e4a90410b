//! What was measured.

use std::collections::BTreeSet;
use std::fmt;

use audiolm_eval::{AbxErrors, LabelledSpan};
use serde::Serialize;

use super::Labelled;

/// The ABX errors of several representations of the same examples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AbxReport {
    /// Speakers.
    pub speakers: Vec<String>,
    /// Words, or phones.
    pub n_categories: usize,
    /// Examples that are labelled.
    pub n_examples: usize,
    /// What chance was made of.
    pub seed: u64,
    /// The figures.
    pub rows: Vec<AbxRow>,
}

/// The errors of one representation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AbxRow {
    /// What it is.
    pub representation: String,
    /// How often it is told wrongly.
    #[serde(flatten)]
    pub errors: AbxErrors,
}

impl AbxReport {
    pub(super) fn new(recordings: &[Labelled], seed: u64, rows: Vec<AbxRow>) -> Self {
        let spans = || recordings.iter().flat_map(|it| &it.spans);
        let distinct = |of: fn(&LabelledSpan) -> &String| -> BTreeSet<String> {
            spans().map(of).cloned().collect()
        };
        Self {
            speakers: distinct(|it| &it.speaker).into_iter().collect(),
            n_categories: distinct(|it| &it.phone).len(),
            n_examples: spans().count(),
            seed,
            rows,
        }
    }
}

impl fmt::Display for AbxReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_categories, n_examples, .. } = self;
        let speakers = self.speakers.len();
        writeln!(f, "{n_examples} examples of {n_categories} categories by {speakers} speakers\n")?;
        writeln!(f, "| ABX error, % | within speakers | across speakers |\n|---|---|---|")?;
        let percent =
            |it: Option<f64>| it.map_or("-".to_owned(), |it| format!("{:.1}", 100.0 * it));
        let rows = self.rows.iter().map(|AbxRow { representation, errors }| {
            let (within, across) = (percent(errors.within), percent(errors.across));
            format!("| {representation} | {within} | {across} |")
        });
        write!(f, "{}", rows.collect::<Vec<_>>().join("\n"))
    }
}
