//! The cache of waves: what it returns, and when it is rebuilt.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use audiolm_audio::{Clip, from_int16};
use audiolm_data::{Corpus, CorpusOptions, DataError, Recording, WaveStore};
use tempfile::TempDir;

const RATE_HZ: u32 = 16_000;

/// Ramps, so that a sample tells its recording and place: one of 100, 250 and 40 samples each.
fn corpus() -> (TempDir, Corpus) {
    let folder = tempfile::tempdir().unwrap();
    for (index, length) in [100, 250, 40].into_iter().enumerate() {
        let samples = (0..length).map(|n| ramp(index, n)).collect();
        let clip = Clip { samples, sample_rate_hz: RATE_HZ };
        clip.write_wav(folder.path().join(format!("{index}.wav"))).unwrap();
    }
    let corpus = Corpus::open(folder.path(), &CorpusOptions::default()).unwrap();
    (folder, corpus)
}

fn ramp(recording: usize, sample: usize) -> f32 {
    from_int16((1_000 * (recording + 1) + sample) as i16)
}

/// Opens the store and tells how many recordings were decoded for it.
fn open(corpus: &Corpus, rate_hz: u32, cache: &Path) -> Result<(WaveStore, usize), DataError> {
    let recordings: Vec<&Recording> = corpus.recordings().iter().collect();
    let mut decoded = 0;
    let store = WaveStore::open_or_build(&recordings, rate_hz, cache, &mut |done, total| {
        assert_eq!((done, total), (decoded + 1, recordings.len()));
        decoded = done;
    })?;
    Ok((store, decoded))
}

#[track_caller]
fn check_read(store: &WaveStore, recording: usize, start: usize, length: usize) {
    let whole = store.samples_of(recording);
    let expected: Vec<_> =
        (start..start + length).map(|n| if n < whole { ramp(recording, n) } else { 0.0 }).collect();
    assert_eq!(store.read(recording, start, length).unwrap(), expected);
}

#[test]
fn every_part_is_read_back() {
    let (folder, corpus) = corpus();
    let (store, _) = open(&corpus, RATE_HZ, &folder.path().join("cache")).unwrap();
    assert_eq!((store.len(), store.rate_hz(), store.lengths()), (3, RATE_HZ, vec![100, 250, 40]));
    assert_eq!((store.key(0), store.key(2)), ("0.wav", "2.wav"));
    assert_eq!(store.total_seconds(), 390.0 / 16_000.0);
    check_read(&store, 0, 0, 100);
    check_read(&store, 1, 17, 60);
    check_read(&store, 2, 39, 1);
    check_read(&store, 1, 0, 0);
}

#[test]
fn what_is_past_the_end_is_silent() {
    let (folder, corpus) = corpus();
    let (store, _) = open(&corpus, RATE_HZ, &folder.path().join("cache")).unwrap();
    check_read(&store, 0, 90, 20);
    check_read(&store, 1, 250, 5);
    check_read(&store, 2, 1_000, 5);
}

#[test]
fn another_rate_has_a_cache_of_its_own() {
    let (folder, corpus) = corpus();
    let cache = folder.path().join("cache");
    let (store, _) = open(&corpus, 8_000, &cache).unwrap();
    assert_eq!(store.lengths(), [50, 125, 20]);
    assert_eq!(open(&corpus, RATE_HZ, &cache).unwrap().1, 3);
    assert_eq!(open(&corpus, 8_000, &cache).unwrap().1, 0);
}

#[test]
fn threads_read_at_once() {
    let (folder, corpus) = corpus();
    let (store, _) = open(&corpus, RATE_HZ, &folder.path().join("cache")).unwrap();
    thread::scope(|scope| {
        for recording in 0..3 {
            let store = &store;
            scope.spawn(move || {
                (0..200).for_each(|n| check_read(store, recording, n % 40, 30));
            });
        }
    });
}

/// Spoils something between two openings, and compares how many recordings are decoded anew.
#[track_caller]
fn check_decoded_after(spoil: impl FnOnce(&Path), expected: usize) {
    let (folder, first) = corpus();
    let cache = folder.path().join("cache");
    assert_eq!(open(&first, RATE_HZ, &cache).unwrap().1, 3);
    spoil(folder.path());
    let again = Corpus::open(folder.path(), &CorpusOptions::default()).unwrap();
    let (store, decoded) = open(&again, RATE_HZ, &cache).unwrap();
    assert_eq!(decoded, expected);
    check_read(&store, 0, 3, 30);
}

/// The only file with this extension in the cache.
fn cached(folder: &Path, extension: &str) -> PathBuf {
    let files = fs::read_dir(folder.join("cache")).unwrap().map(|it| it.unwrap().path());
    files.into_iter().find(|it| it.extension().is_some_and(|it| it == extension)).unwrap()
}

#[test]
fn a_whole_cache_is_used_again() {
    check_decoded_after(|_| (), 0);
}
#[test]
fn a_changed_recording_rebuilds_the_cache() {
    let longer = Clip { samples: vec![0.5; 300], sample_rate_hz: RATE_HZ };
    check_decoded_after(|folder| longer.write_wav(folder.join("1.wav")).unwrap(), 3);
}
#[test]
fn a_short_cache_is_rebuilt() {
    let cut = |folder: &Path| {
        let path = cached(folder, "i16");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    };
    check_decoded_after(cut, 3);
}
#[test]
fn a_cache_without_its_index_is_rebuilt() {
    check_decoded_after(|folder| fs::remove_file(cached(folder, "json")).unwrap(), 3);
    check_decoded_after(|folder| fs::write(cached(folder, "json"), "{\"format\":").unwrap(), 3);
}

#[test]
fn all_damaged_recordings_are_named() {
    let (folder, corpus) = corpus();
    for name in ["0.wav", "2.wav"] {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name), &bytes[..60]).unwrap();
    }
    let cache = folder.path().join("cache");
    let error = open(&corpus, RATE_HZ, &cache).unwrap_err().to_string();
    assert!(error.starts_with("2 recordings cannot be read: "), "{error}");
    assert!(error.contains("0.wav") && error.contains("2.wav"), "{error}");
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0, "a cache was left behind");
}

#[test]
fn a_cache_that_shrinks_while_open_is_an_error() {
    let (folder, corpus) = corpus();
    let (store, _) = open(&corpus, RATE_HZ, &folder.path().join("cache")).unwrap();
    fs::write(cached(folder.path(), "i16"), [0; 10]).unwrap();
    assert!(matches!(store.read(1, 0, 10), Err(DataError::UnreadableCache { .. })));
}
