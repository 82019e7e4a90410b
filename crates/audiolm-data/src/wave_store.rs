//! All waves of a split at one rate, ready for random access.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use audiolm_audio::{WriteError, from_int16};

use crate::wave_cache::{CacheIndex, CachePaths, SAMPLE_BYTES};
use crate::{DataError, Recording};

/// Decoded recordings: mono, at one rate, in one file of 16-bit samples.
///
/// It may be read from several threads at once.
#[derive(Debug)]
pub struct WaveStore {
    path: PathBuf,
    file: Mutex<File>,
    rate_hz: u32,
    keys: Vec<String>,
    /// Where each recording starts in the file, in samples, and where the last one ends.
    starts: Vec<u64>,
}

impl WaveStore {
    /// Opens the cache of these recordings in `cache_dir`, or decodes them into one.
    ///
    /// `progress` is told how many recordings of how many are decoded; it is not called when there
    /// is a cache already. A cache is only used for the very same files (names, sizes and times of
    /// change) and rate; any other is left alone, and `cache_dir` may be deleted at any time while
    /// no store is open. An hour at 16 kHz takes 115 MB.
    ///
    /// # Errors
    /// When recordings cannot be read, all of which are named, and when the cache cannot be written.
    pub fn open_or_build(
        recordings: &[&Recording],
        rate_hz: u32,
        cache_dir: impl AsRef<Path>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, DataError> {
        let folder = cache_dir.as_ref();
        fs::create_dir_all(folder)
            .map_err(|source| WriteError::Failed { path: folder.into(), source })?;
        let paths = CachePaths::of(recordings, rate_hz, folder)?;
        let index = match paths.load() {
            Some(index) => index,
            None => paths.build(recordings, rate_hz, progress)?,
        };
        Self::open(paths.samples, index)
    }

    fn open(path: PathBuf, index: CacheIndex) -> Result<Self, DataError> {
        let file = match File::open(&path) {
            Ok(file) => Mutex::new(file),
            Err(source) => return Err(DataError::UnreadableCache { path, source }),
        };
        let mut starts = vec![0];
        let mut keys = Vec::with_capacity(index.recordings.len());
        for entry in index.recordings {
            starts.push(starts[keys.len()] + entry.samples);
            keys.push(entry.key);
        }
        Ok(Self { path, file, rate_hz: index.rate_hz, keys, starts })
    }

    /// How many recordings there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no recording.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Samples per second.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// The key of a recording within its corpus.
    ///
    /// # Panics
    /// When there is no such recording.
    pub fn key(&self, recording: usize) -> &str {
        &self.keys[recording]
    }

    /// Length of a recording in samples.
    ///
    /// # Panics
    /// When there is no such recording.
    pub fn samples_of(&self, recording: usize) -> usize {
        (self.starts[recording + 1] - self.starts[recording]) as usize
    }

    /// Length of every recording in samples, as [`CropSampler`](crate::CropSampler) takes them.
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.len()).map(|it| self.samples_of(it)).collect()
    }

    /// Length of all recordings together, in seconds.
    pub fn total_seconds(&self) -> f64 {
        self.starts[self.len()] as f64 / f64::from(self.rate_hz)
    }

    /// Reads `length` samples of a recording from `start` on, with zeros past its end.
    ///
    /// # Errors
    /// When the cache file has been damaged since it was opened.
    ///
    /// # Panics
    /// When there is no such recording.
    pub fn read(
        &self,
        recording: usize,
        start: usize,
        length: usize,
    ) -> Result<Vec<f32>, DataError> {
        let present = self.samples_of(recording).saturating_sub(start).min(length);
        let mut bytes = vec![0; present * SAMPLE_BYTES as usize];
        let offset = (self.starts[recording] + start as u64) * SAMPLE_BYTES;
        if present > 0 {
            let unreadable =
                |source| DataError::UnreadableCache { path: self.path.clone(), source };
            self.read_bytes(offset, &mut bytes).map_err(unreadable)?;
        }
        let (pairs, _) = bytes.as_chunks();
        let mut samples: Vec<_> =
            pairs.iter().map(|it| from_int16(i16::from_le_bytes(*it))).collect();
        samples.resize(length, 0.0);
        Ok(samples)
    }

    fn read_bytes(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        // Every read seeks first, so that a thread that panicked has left nothing behind.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }
}
