//! Folders with and without a manifest, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::Path;

use audiolm_audio::Clip;
use audiolm_data::{Corpus, CorpusOptions, DataError, OnUnreadable, Recording, RowProblem, Split};
use tempfile::TempDir;

/// A folder with a tenth of a second of audio under each of these names.
fn folder_with(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let clip = Clip { samples: vec![0.25; 1_600], sample_rate_hz: 16_000 };
        clip.write_wav(path).unwrap();
    }
    folder
}

fn with_manifest(names: &[&str], manifest: &str) -> TempDir {
    let folder = folder_with(names);
    fs::write(folder.path().join("manifest.csv"), manifest).unwrap();
    folder
}

fn open(folder: &TempDir) -> Result<Corpus, DataError> {
    Corpus::open(folder.path(), &CorpusOptions::default())
}

/// Opens a folder whose manifest has one bad row, and compares its line and problem.
#[track_caller]
fn check_bad_row(manifest: &str, expected_line: u64, expected: RowProblem) {
    let folder = with_manifest(&["a.wav", "b.wav"], manifest);
    match open(&folder).unwrap_err() {
        DataError::BadRow { line, problem, .. } => {
            assert_eq!((line, problem), (expected_line, expected));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manifest_is_read_column_by_column() {
    let folder = with_manifest(
        &["x/a.wav", "b.wav"],
        "source,split,path,seconds,speaker,transcript,caption,set\n\
         web,test,x/a.wav,2.5,Ada,\"hello, there\",a greeting,speech\n\
         web,train,b.wav,0.5,,,,noise\n",
    );
    let corpus = open(&folder).unwrap();
    let expected = Recording {
        path: folder.path().join("x/a.wav"),
        key: "x/a.wav".into(),
        seconds: 2.5,
        speaker: "Ada".into(),
        split: Split::Test,
        transcript: Some("hello, there".into()),
        caption: Some("a greeting".into()),
        set: "speech".into(),
    };
    assert_eq!(corpus.of(Split::Test), [&expected]);
    let other = corpus.of(Split::Train)[0];
    let root_name = folder.path().file_name().unwrap().to_string_lossy();
    assert_eq!((other.speaker.as_str(), &other.transcript), (root_name.as_ref(), &None));
    assert_eq!(corpus.seconds_of(Split::Train), 0.5);
}

#[test]
fn only_the_path_is_required() {
    let folder = with_manifest(&["ada/1.wav", "bob/1.wav"], "path\nada/1.wav\nbob/1.wav\n");
    let corpus = open(&folder).unwrap();
    let found = corpus.recordings().iter().map(|it| (it.speaker.as_str(), it.seconds));
    assert_eq!(found.collect::<Vec<_>>(), [("ada", 0.1), ("bob", 0.1)]);
    assert_eq!((corpus.of(Split::Train).len(), corpus.of(Split::Valid).len()), (1, 1));
}

#[test]
fn sets_are_kept_by_name() {
    let folder = with_manifest(
        &["a.wav", "b.wav"],
        "path,seconds,split,set\na.wav,1,train,speech\nb.wav,1,train,noise\nmissing.wav,1,train,piano\n",
    );
    let options = |set: &str| CorpusOptions { sets: vec![set.into()], ..Default::default() };
    let corpus = Corpus::open(folder.path(), &options("noise")).unwrap();
    assert_eq!(corpus.recordings().len(), 1);
    let error = Corpus::open(folder.path(), &options("digits")).unwrap_err().to_string();
    assert!(
        error.ends_with("expected the set `digits`, found the sets noise, piano, speech"),
        "{error}"
    );
}

#[test]
fn another_manifest_may_be_named() {
    let folder = with_manifest(&["a.wav", "b.wav"], "path\na.wav\nb.wav\n");
    let manifest = folder.path().join("small.csv");
    fs::write(&manifest, "path\nb.wav\n").unwrap();
    let options = CorpusOptions { manifest: Some(manifest), ..Default::default() };
    let corpus = Corpus::open(folder.path(), &options).unwrap();
    assert_eq!(corpus.recordings()[0].key, "b.wav");
    assert_eq!(corpus.recordings().len(), 1);
}

#[test]
fn a_missing_file_is_named_with_its_line() {
    let folder = with_manifest(&["a.wav"], "path\na.wav\ngone.wav\n");
    let error = open(&folder).unwrap_err().to_string();
    assert!(error.contains("manifest.csv, line 3: "), "{error}");
    assert!(error.ends_with("gone.wav: no such file"), "{error}");
}
#[test]
fn an_empty_path_is_named() {
    check_bad_row("path,seconds\na.wav,1\n,1\n", 3, RowProblem::EmptyPath);
}
#[test]
fn a_bad_duration_is_named() {
    for bad in ["long", "-1", "0", "inf", "NaN"] {
        let manifest = format!("path,seconds\na.wav,{bad}\n");
        check_bad_row(&manifest, 2, RowProblem::BadSeconds(bad.into()));
    }
}
#[test]
fn an_unknown_split_is_named() {
    check_bad_row(
        "path,split\na.wav,train\nb.wav,dev\n",
        3,
        RowProblem::UnknownSplit("dev".into()),
    );
}
#[test]
fn a_repeated_row_is_named() {
    let expected = RowProblem::Repeated { path: "a.wav".into(), first_line: 2 };
    check_bad_row("path,split\na.wav,train\na.wav,valid\n", 3, expected);
}
#[test]
fn a_row_of_another_width_is_named() {
    let folder = with_manifest(&["a.wav"], "path,seconds\na.wav\n");
    assert!(matches!(open(&folder).unwrap_err(), DataError::BadManifest { .. }));
}
#[test]
fn a_manifest_without_paths_shows_its_columns() {
    let folder = with_manifest(&["a.wav"], "file,seconds\na.wav,1\n");
    let error = open(&folder).unwrap_err().to_string();
    assert!(
        error.ends_with("expected a column `path`, found the columns file, seconds"),
        "{error}"
    );
}
#[test]
fn a_manifest_without_rows_is_named() {
    let folder = with_manifest(&[], "path,seconds\n");
    assert!(matches!(open(&folder).unwrap_err(), DataError::NoRecordings { .. }));
}
#[test]
fn a_missing_folder_or_manifest_is_named() {
    let error = Corpus::open("no/such/folder", &CorpusOptions::default()).unwrap_err();
    assert!(matches!(error, DataError::NoFolder { .. }));
    let manifest = Some("no/such.csv".into());
    let options = CorpusOptions { manifest, ..Default::default() };
    let error = Corpus::open(folder_with(&[]).path(), &options).unwrap_err();
    assert!(matches!(error, DataError::BadManifest { .. }));
}

#[test]
fn a_folder_is_walked_in_order() {
    let folder = folder_with(&["b/2.wav", "b/1.WAV", "a/x/1.wav", ".hidden/1.wav", "a/.1.wav"]);
    fs::write(folder.path().join("a/notes.txt"), "not audio").unwrap();
    let corpus = open(&folder).unwrap();
    let keys: Vec<_> = corpus.recordings().iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["a/x/1.wav", "b/1.WAV", "b/2.wav"]);
    let speakers: Vec<_> = corpus.recordings().iter().map(|it| it.speaker.as_str()).collect();
    assert_eq!(speakers, ["x", "b", "b"]);
    assert!(corpus.recordings().iter().all(|it| it.seconds == 0.1));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_an_unreadable_recording_or_none() {
    let folder = folder_with(&["a/1.wav"]);
    let link = |name: &str| std::os::unix::fs::symlink("nowhere", folder.path().join(name));
    link("a/.#1.wav").unwrap();
    link("a/notes.txt").unwrap();
    assert_eq!(open(&folder).unwrap().recordings().len(), 1);
    link("a/2.wav").unwrap();
    let error = open(&folder).unwrap_err().to_string();
    assert!(error.starts_with("1 recording cannot be read: "), "{error}");
    assert!(error.contains("a/2.wav: no such file"), "{error}");
}

#[test]
fn an_empty_folder_is_named() {
    assert!(matches!(open(&folder_with(&[])).unwrap_err(), DataError::NoRecordings { .. }));
}

#[test]
fn unreadable_files_are_listed_or_skipped() {
    let folder = folder_with(&["good.wav"]);
    fs::write(folder.path().join("bad.mp3"), "no music").unwrap();
    fs::write(folder.path().join("empty.flac"), "").unwrap();
    let error = open(&folder).unwrap_err().to_string();
    assert!(error.starts_with("2 recordings cannot be read: "), "{error}");
    assert!(error.contains("bad.mp3") && error.contains("empty.flac"), "{error}");

    let options = CorpusOptions { on_unreadable: OnUnreadable::Skip, ..Default::default() };
    let corpus = Corpus::open(folder.path(), &options).unwrap();
    assert_eq!(corpus.skipped().len(), 2);
    // What is left out has no part in the split either.
    assert_eq!(corpus.of(Split::Train).len(), 1);
}

#[test]
fn a_folder_of_only_unreadable_files_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.mp3"), "no music").unwrap();
    let options = CorpusOptions { on_unreadable: OnUnreadable::Skip, ..Default::default() };
    let error = Corpus::open(folder.path(), &options).unwrap_err();
    assert!(matches!(error, DataError::NoRecordings { path } if path == Path::new(folder.path())));
}
