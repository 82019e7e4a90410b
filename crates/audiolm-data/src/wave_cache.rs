//! The files behind a [`WaveStore`](crate::WaveStore): samples in one, their index in another.

use std::fs;
use std::io::{self, Write};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::UNIX_EPOCH;

use audiolm_audio::{AudioError, Clip, WriteError, to_int16, write_whole};
use serde::{Deserialize, Serialize};

use crate::hash::Fnv;
use crate::{DataError, Recording};

/// Raised whenever the files change their meaning, so that older ones are rebuilt.
const FORMAT: u32 = 1;
/// Size of a cached sample.
pub(crate) const SAMPLE_BYTES: u64 = 2;

/// Where a cache is, by what it must hold.
pub(crate) struct CachePaths {
    pub(crate) samples: PathBuf,
    index: PathBuf,
    fingerprint: String,
}

/// What is in the file of samples, in order and without gaps.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CacheIndex {
    format: u32,
    fingerprint: String,
    pub(crate) rate_hz: u32,
    pub(crate) recordings: Vec<CacheEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CacheEntry {
    pub(crate) key: String,
    pub(crate) samples: u64,
}

impl CachePaths {
    /// The cache of these recordings at this rate. Its name depends on the keys, sizes and times of
    /// change of all files, so that a stale cache is never found.
    pub(crate) fn of(
        recordings: &[&Recording],
        rate_hz: u32,
        folder: &Path,
    ) -> Result<Self, DataError> {
        let mut hash = Fnv::new().with_number(FORMAT.into()).with_number(rate_hz.into());
        let mut unreadable = Vec::new();
        for recording in recordings {
            match size_and_change(&recording.path) {
                Ok([size, change]) => {
                    hash = hash.with(recording.key.as_bytes()).with_number(size).with_number(change)
                }
                Err(error) => unreadable.push(error),
            }
        }
        if !unreadable.is_empty() {
            return Err(DataError::Unreadable(unreadable));
        }
        let fingerprint = format!("{:016x}", hash.finish());
        let samples = folder.join(format!("waves-{fingerprint}.i16"));
        Ok(Self { index: samples.with_extension("json"), samples, fingerprint })
    }

    /// The index, if it and the samples are whole and belong together.
    pub(crate) fn load(&self) -> Option<CacheIndex> {
        let index: CacheIndex = serde_json::from_slice(&fs::read(&self.index).ok()?).ok()?;
        let lengths = index.recordings.iter().map(|it| it.samples);
        let samples = lengths.into_iter().try_fold(0u64, u64::checked_add)?;
        let bytes = fs::metadata(&self.samples).ok()?.len();
        let is_ours = index.format == FORMAT && index.fingerprint == self.fingerprint;
        (is_ours && samples.checked_mul(SAMPLE_BYTES) == Some(bytes)).then_some(index)
    }

    /// Decodes all recordings into the cache.
    pub(crate) fn build(
        &self,
        recordings: &[&Recording],
        rate_hz: u32,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<CacheIndex, DataError> {
        let mut entries = Vec::with_capacity(recordings.len());
        write_whole(&self.samples, |out| {
            let mut unreadable = Vec::new();
            for batch in recordings.chunks(n_threads()) {
                for (recording, clip) in batch.iter().zip(decode(batch, rate_hz)) {
                    match clip {
                        Ok(clip) => entries.push(self.write(out, recording, &clip)?),
                        Err(error) => unreadable.push(error),
                    }
                    progress(entries.len() + unreadable.len(), recordings.len());
                }
            }
            if unreadable.is_empty() { Ok(()) } else { Err(DataError::Unreadable(unreadable)) }
        })?;
        let fingerprint = self.fingerprint.clone();
        let index = CacheIndex { format: FORMAT, fingerprint, rate_hz, recordings: entries };
        write_whole(&self.index, |out| {
            serde_json::to_writer(out, &index).map_err(|it| failed(&self.index, it.into()))
        })?;
        Ok(index)
    }

    fn write(
        &self,
        out: &mut impl Write,
        recording: &Recording,
        clip: &Clip,
    ) -> Result<CacheEntry, DataError> {
        let mut samples = clip.samples.iter();
        samples
            .try_for_each(|it| out.write_all(&to_int16(*it).to_le_bytes()))
            .map_err(|source| failed(&self.samples, source))?;
        Ok(CacheEntry { key: recording.key.clone(), samples: clip.samples.len() as u64 })
    }
}

fn failed(path: &Path, source: io::Error) -> DataError {
    WriteError::Failed { path: path.into(), source }.into()
}

/// Size in bytes and time of the last change in nanoseconds; a time before 1970 counts as that.
fn size_and_change(path: &Path) -> Result<[u64; 2], AudioError> {
    let look = || {
        let metadata = fs::metadata(path)?;
        let change = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok([metadata.len(), change.as_nanos() as u64])
    };
    look().map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => AudioError::NotFound { path: path.into() },
        _ => AudioError::Unreadable { path: path.into(), source },
    })
}

fn n_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Decodes a few recordings at once, each in a thread of its own, and keeps their order.
fn decode(batch: &[&Recording], rate_hz: u32) -> Vec<Result<Clip, AudioError>> {
    thread::scope(|scope| {
        let read = |it: &Recording| Clip::read_at(&it.path, rate_hz);
        let threads: Vec<_> = batch.iter().map(|it| scope.spawn(move || read(it))).collect();
        threads.into_iter().map(|it| it.join().unwrap_or_else(|it| resume_unwind(it))).collect()
    })
}
