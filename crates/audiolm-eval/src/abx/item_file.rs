//! `.item` files: where in which recording a phone is said, and by whom.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// A line of an `.item` file.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledSpan {
    /// The recording, without folder and ending.
    pub file: String,
    /// Where it begins, in seconds.
    pub onset: f64,
    /// Where it ends, in seconds.
    pub offset: f64,
    /// The phone.
    pub phone: String,
    /// The phones before and after.
    pub context: String,
    /// Who says it.
    pub speaker: String,
}

/// Why an `.item` file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ItemFileError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is none of its kind.
    #[error(
        "{path}, line {line}: expected `file onset offset phone previous next speaker` with times \
         in seconds, found {found:?}"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What it says.
        found: String,
    },
}

impl LabelledSpan {
    /// The frames whose middle lies within, at so many frames per second.
    pub fn frames(&self, frames_per_second: f64) -> Range<usize> {
        let first = (self.onset * frames_per_second - 0.5).ceil().max(0.0) as usize;
        let last = (self.offset * frames_per_second - 0.5).floor();
        first..(last + 1.0).max(first as f64) as usize
    }

    fn of_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [file, onset, offset, phone, previous, next, speaker] = words[..] else { return None };
        let seconds = |it: &str| it.parse().ok().filter(|it: &f64| it.is_finite() && *it >= 0.0);
        let (onset, offset) = (seconds(onset)?, seconds(offset)?);
        (onset <= offset).then(|| Self {
            file: file.to_owned(),
            onset,
            offset,
            phone: phone.to_owned(),
            context: format!("{previous} {next}"),
            speaker: speaker.to_owned(),
        })
    }
}

/// Reads an `.item` file, as ZeroSpeech and Libri-Light publish them: a header, then a line for each
/// phone.
///
/// # Errors
/// Where it cannot be read, or a line is none of its kind.
pub fn read_item_file(path: &Path) -> Result<Vec<LabelledSpan>, ItemFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ItemFileError::Io { path: path.to_owned(), source })?;
    let lines = text.lines().enumerate().filter(|(_, it)| {
        let text = it.trim();
        !text.is_empty() && !text.starts_with('#')
    });
    lines
        .map(|(idx, text)| {
            LabelledSpan::of_line(text).ok_or_else(|| ItemFileError::Line {
                path: path.to_owned(),
                line: idx + 1,
                found: text.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<LabelledSpan>, ItemFileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.item");
        std::fs::write(&path, text).unwrap();
        read_item_file(&path)
    }

    const HEADER: &str = "#file onset offset #phone prev-phone next-phone speaker\n";

    #[test]
    fn a_line_is_a_phone() {
        let spans = read(&format!("{HEADER}6295-0006 0.31 0.47 L NG IH 6295\n")).unwrap();
        assert_eq!(spans.len(), 1);
        let span = &spans[0];
        assert_eq!((&*span.phone, &*span.context, &*span.speaker), ("L", "NG IH", "6295"));
        // Middles at 0.31, 0.33, ... 0.47.
        assert_eq!(span.frames(50.0), 15..24);
    }

    #[test]
    fn a_span_between_two_middles_has_no_frame() {
        let spans = read("a 0.011 0.028 L NG IH 6295").unwrap();
        assert!(spans[0].frames(50.0).is_empty());
    }

    #[test]
    fn what_is_no_line_is_named() {
        for line in
            ["a 0.3 0.2 L NG IH s", "a 0.3 x L NG IH s", "a 0.3 0.4 L NG IH", "a nan 1 L NG IH s"]
        {
            let error = read(&format!("{HEADER}{line}\n")).unwrap_err().to_string();
            assert!(error.contains("dev.item, line 2") && error.contains(line), "{error}");
        }
    }
}
