//! `manifest.csv`: one row for each recording.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use csv::StringRecord;

use crate::error::RowProblem;
use crate::listing::Listing;
use crate::{DataError, Split};

/// Reads the rows of a manifest whose paths are relative to `root`, keeping those of `sets`
/// (all when empty).
pub(crate) fn read(root: &Path, path: &Path, sets: &[String]) -> Result<Vec<Listing>, DataError> {
    let bad = |source| DataError::BadManifest { path: path.into(), source };
    let mut reader = csv::Reader::from_path(path).map_err(bad)?;
    let columns = Columns::of(path, reader.headers().map_err(bad)?)?;
    let mut listings = Vec::new();
    let mut found_sets = BTreeSet::new();
    let mut lines = HashMap::new();
    for row in reader.records() {
        let row = row.map_err(bad)?;
        let line = row.position().map_or(0, csv::Position::line);
        let set = columns.text(&row, SET).unwrap_or_default();
        found_sets.insert(set.clone());
        if !sets.is_empty() && !sets.contains(&set) {
            continue;
        }
        let listing = columns.listing(root, &row).and_then(|it| it.once(&mut lines, line));
        let bad_row = |problem| DataError::BadRow { path: path.into(), line, problem };
        listings.push(listing.map_err(bad_row)?);
    }
    match sets.iter().find(|it| !found_sets.contains(*it)) {
        None => Ok(listings),
        Some(wanted) => Err(DataError::UnknownSet {
            path: path.into(),
            wanted: wanted.clone(),
            found: found_sets.into_iter().collect(),
        }),
    }
}

const PATH: &str = "path";
const SECONDS: &str = "seconds";
const SPLIT: &str = "split";
const SPEAKER: &str = "speaker";
const TRANSCRIPT: &str = "transcript";
const CAPTION: &str = "caption";
const SET: &str = "set";

/// Where the columns are; only `path` must be there.
struct Columns(HashMap<String, usize>);

impl Columns {
    fn of(path: &Path, header: &StringRecord) -> Result<Self, DataError> {
        let places =
            header.iter().enumerate().map(|(place, name)| (name.trim().to_string(), place));
        let columns: HashMap<_, _> = places.collect();
        if columns.contains_key(PATH) {
            return Ok(Self(columns));
        }
        let found = header.iter().map(str::to_string).collect();
        Err(DataError::NoPathColumn { path: path.into(), found })
    }

    /// What stands in a column; nothing when it is missing or empty.
    fn text(&self, row: &StringRecord, column: &str) -> Option<String> {
        let text = row.get(*self.0.get(column)?)?.trim();
        (!text.is_empty()).then(|| text.to_string())
    }

    fn listing(&self, root: &Path, row: &StringRecord) -> Result<Listing, RowProblem> {
        let key = self.text(row, PATH).ok_or(RowProblem::EmptyPath)?;
        let path = root.join(&key);
        if !path.is_file() {
            return Err(RowProblem::MissingFile(path));
        }
        Ok(Listing {
            path,
            key,
            seconds: self.text(row, SECONDS).map(seconds).transpose()?,
            speaker: self.text(row, SPEAKER),
            split: self.text(row, SPLIT).map(split).transpose()?,
            transcript: self.text(row, TRANSCRIPT),
            caption: self.text(row, CAPTION),
            set: self.text(row, SET).unwrap_or_default(),
        })
    }
}

impl Listing {
    /// Refuses a second row for the same file: it might be in two splits.
    fn once(self, lines: &mut HashMap<String, u64>, line: u64) -> Result<Self, RowProblem> {
        match lines.insert(self.key.clone(), line) {
            None => Ok(self),
            Some(first_line) => Err(RowProblem::Repeated { path: self.key, first_line }),
        }
    }
}

fn seconds(text: String) -> Result<f64, RowProblem> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
        _ => Err(RowProblem::BadSeconds(text)),
    }
}

fn split(text: String) -> Result<Split, RowProblem> {
    Split::from_name(&text).ok_or(RowProblem::UnknownSplit(text))
}
