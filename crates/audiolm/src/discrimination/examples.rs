//! Recordings in which it is known who says what, and when.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use audiolm_audio::Clip;
use audiolm_data::Recording;
use audiolm_eval::{LabelledSpan, read_item_file};

use super::DiscriminationError;

/// A recording with labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// What it is called.
    pub name: String,
    /// How it sounds.
    pub clip: Clip,
    /// What is said in it.
    pub spans: Vec<LabelledSpan>,
}

/// Where labels come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// Each recording is an example of its transcript: a word of its own.
    Transcripts,
    /// An `.item` file, of ZeroSpeech and Libri-Light.
    Items(PathBuf),
}

impl Labels {
    /// Reads the recordings that have labels.
    ///
    /// # Errors
    /// Where a recording or the labels cannot be read, or one is without the other.
    pub fn read(&self, recordings: &[&Recording]) -> Result<Vec<Labelled>, DiscriminationError> {
        match self {
            Self::Transcripts => recordings.iter().map(|it| word(it)).collect(),
            Self::Items(path) => phones(path, recordings),
        }
    }
}

/// A recording as one example.
fn word(recording: &Recording) -> Result<Labelled, DiscriminationError> {
    let clip = Clip::read(&recording.path)?;
    let name = recording.key.clone();
    let Some(word) = &recording.transcript else {
        return Err(DiscriminationError::Unlabelled { recording: name });
    };
    let span = LabelledSpan {
        file: stem(&recording.path),
        onset: 0.0,
        offset: clip.seconds(),
        phone: word.clone(),
        context: String::new(),
        speaker: recording.speaker.clone(),
    };
    Ok(Labelled { name, clip, spans: vec![span] })
}

/// The recordings that the labels name.
fn phones(path: &Path, recordings: &[&Recording]) -> Result<Vec<Labelled>, DiscriminationError> {
    let mut by_file: BTreeMap<String, Vec<LabelledSpan>> = BTreeMap::new();
    for span in read_item_file(path)? {
        by_file.entry(span.file.clone()).or_default().push(span);
    }
    let mut labelled = Vec::new();
    for recording in recordings {
        if let Some(spans) = by_file.remove(&stem(&recording.path)) {
            let clip = Clip::read(&recording.path)?;
            labelled.push(Labelled { name: recording.key.clone(), clip, spans });
        }
    }
    match by_file.into_keys().next() {
        None => Ok(labelled),
        Some(file) => Err(DiscriminationError::NoRecording { file }),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
