//! The tokens of many recordings in memory.

use std::collections::HashSet;
use std::path::Path;

use crate::{DataError, Recording, token_file};

/// Tokens per frame of many recordings: semantic ids (one per frame) or codec codes (Q per frame).
///
/// It knows the fingerprint of the tokenizer that made them, so that tokens of one are never taken
/// for those of another.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenStore {
    pub(crate) width: usize,
    pub(crate) frames_per_second: f64,
    pub(crate) fingerprint: String,
    pub(crate) keys: Vec<String>,
    /// Where each recording starts in `ids`, in frames, and where the last one ends.
    pub(crate) starts: Vec<usize>,
    /// All tokens, frame by frame.
    pub(crate) ids: Vec<u16>,
}

impl TokenStore {
    /// Loads a store, whichever tokenizer made it.
    ///
    /// # Errors
    /// When the file is missing, cut off or damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DataError> {
        token_file::load(path.as_ref())
    }

    /// Loads a store of the tokenizer with this fingerprint.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`DataError::ForeignTokens`] when another tokenizer made it.
    pub fn load_of(path: impl AsRef<Path>, fingerprint: &str) -> Result<Self, DataError> {
        let path = path.as_ref();
        let store = Self::load(path)?;
        if store.fingerprint == fingerprint {
            return Ok(store);
        }
        let (expected, found) = (fingerprint.to_string(), store.fingerprint);
        Err(DataError::ForeignTokens { path: path.into(), expected, found })
    }

    /// Saves the store as one SafeTensors file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        token_file::save(self, path.as_ref())
    }

    /// Tokens per frame: 1 for semantic ids, Q for codec codes.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Frames per second.
    pub fn frames_per_second(&self) -> f64 {
        self.frames_per_second
    }

    /// The fingerprint of the tokenizer that made the tokens.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How many recordings there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no recording.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of a recording within its corpus.
    ///
    /// # Panics
    /// When there is no such recording.
    pub fn key(&self, recording: usize) -> &str {
        &self.keys[recording]
    }

    /// Length of a recording in frames.
    ///
    /// # Panics
    /// When there is no such recording.
    pub fn frames(&self, recording: usize) -> usize {
        self.starts[recording + 1] - self.starts[recording]
    }

    /// Length of every recording in frames, as [`CropSampler`](crate::CropSampler) takes them.
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.len()).map(|it| self.frames(it)).collect()
    }

    /// Frames of all recordings together.
    pub fn total_frames(&self) -> usize {
        self.starts[self.len()]
    }

    /// The tokens of a recording, frame by frame: `[frames * width]`.
    ///
    /// # Panics
    /// When there is no such recording.
    pub fn tokens(&self, recording: usize) -> &[u16] {
        let [start, end] = [recording, recording + 1].map(|it| self.starts[it] * self.width);
        &self.ids[start..end]
    }

    /// The recordings whose tokens are not here.
    pub fn missing<'a>(&self, recordings: &[&'a Recording]) -> Vec<&'a Recording> {
        let keys: HashSet<_> = self.keys.iter().collect();
        recordings.iter().copied().filter(|it| !keys.contains(&it.key)).collect()
    }

    /// Whether the tokens of all these recordings are here.
    pub fn is_whole(&self, recordings: &[&Recording]) -> bool {
        self.missing(recordings).is_empty()
    }
}

/// Gathers tokens, recording by recording.
///
/// ```
/// use audiolm_data::{TokenStore, TokenStoreBuilder};
///
/// let mut builder = TokenStoreBuilder::new(2, 50.0, "codec-1f3a");
/// builder.push("a.wav", &[1, 2, 3, 4, 5, 6]);
/// builder.push("b.wav", &[7, 8]);
/// let store = builder.finish();
/// assert_eq!((store.frames(0), store.tokens(1)), (3, &[7, 8][..]));
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("codes.safetensors");
/// store.save(&path)?;
/// assert_eq!(TokenStore::load_of(&path, "codec-1f3a")?, store);
/// assert!(TokenStore::load_of(&path, "another").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenStoreBuilder {
    store: TokenStore,
    pushed: HashSet<String>,
}

impl TokenStoreBuilder {
    /// A builder for `width` tokens per frame, made by the tokenizer with this fingerprint.
    ///
    /// # Panics
    /// When `width` is zero or `frames_per_second` is not a positive number.
    pub fn new(width: usize, frames_per_second: f64, fingerprint: impl Into<String>) -> Self {
        assert!(width > 0, "a frame needs a token");
        let is_rate = frames_per_second.is_finite() && frames_per_second > 0.0;
        assert!(is_rate, "{frames_per_second} frames per second are no rate");
        let (fingerprint, keys, starts, ids) = (fingerprint.into(), vec![], vec![0], vec![]);
        let store = TokenStore { width, frames_per_second, fingerprint, keys, starts, ids };
        Self { store, pushed: HashSet::new() }
    }

    /// Adds a recording's tokens, frame by frame: `[frames * width]`.
    ///
    /// # Panics
    /// When the tokens do not make whole frames, and on a second recording with the same key.
    pub fn push(&mut self, key: &str, ids: &[u16]) {
        let store = &mut self.store;
        let width = store.width;
        assert!(ids.len().is_multiple_of(width), "{} tokens are no frames of {width}", ids.len());
        assert!(self.pushed.insert(key.to_string()), "the tokens of `{key}` come twice");
        store.keys.push(key.to_string());
        store.ids.extend_from_slice(ids);
        store.starts.push(store.ids.len() / width);
    }

    /// The store.
    pub fn finish(self) -> TokenStore {
        self.store
    }
}
