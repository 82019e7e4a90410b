//! The data pack, where one is at hand: named by `AUDIOLM_DATA`, or beside the workspace.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]
#![allow(clippy::print_stdout, reason = "says why nothing was checked")]

use std::path::{Path, PathBuf};

use audiolm_data::{Corpus, CorpusOptions, Split, WaveStore};

/// The manifest gives milliseconds, so that many files may add up to this many seconds too much.
const ROUNDING_SECONDS: f64 = 1.0;

/// The folder and the README that describes it.
fn data_pack() -> Option<(PathBuf, String)> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("AUDIOLM_DATA").map_or(beside, PathBuf::from);
    let readme = std::fs::read_to_string(folder.join("README.md")).ok();
    match (readme, folder.join("manifest.csv").is_file()) {
        (Some(readme), true) => Some((folder, readme)),
        _ => {
            println!("no data pack here: nothing to check");
            None
        }
    }
}

/// The table of the README: set, files and minutes.
fn stated_sets(readme: &str) -> Vec<(String, usize, f64)> {
    let rows = readme.lines().filter(|it| it.starts_with("| `"));
    let cells = rows.map(|it| it.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .filter(|it| it.len() == 8)
        .map(|it| (it[1].replace('`', ""), it[3].parse().unwrap(), it[4].parse().unwrap()))
        .collect()
}

#[test]
fn the_numbers_agree_with_the_readme() {
    let Some((folder, readme)) = data_pack() else { return };
    let corpus = Corpus::open(&folder, &CorpusOptions::default()).unwrap();
    let sets = stated_sets(&readme);
    assert!(!sets.is_empty(), "the README has no table of sets");
    let recordings = corpus.recordings();
    assert_eq!(recordings.len(), sets.iter().map(|it| it.1).sum::<usize>());
    for (set, files, minutes) in sets {
        let found: Vec<_> = recordings.iter().filter(|it| it.set == set).collect();
        assert_eq!(found.len(), files, "{set}");
        let seconds: f64 = found.iter().map(|it| it.seconds).sum();
        assert!((seconds - 60.0 * minutes).abs() < 4.0, "{set} has {seconds} s");
    }
}

#[test]
fn no_speaker_is_in_two_splits() {
    let Some((folder, _)) = data_pack() else { return };
    let options = CorpusOptions {
        sets: ["speech/en", "speech/fr", "digits"].map(String::from).to_vec(),
        ..Default::default()
    };
    let corpus = Corpus::open(&folder, &options).unwrap();
    let [train, valid, test] = Split::ALL.map(|split| {
        let speakers = corpus.of(split).into_iter().map(|it| (&it.set, &it.speaker));
        speakers.collect::<std::collections::HashSet<_>>()
    });
    assert!(train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test));
}

#[test]
fn a_small_split_is_decoded_to_the_stated_length() {
    let Some((folder, _)) = data_pack() else { return };
    let options = CorpusOptions { sets: vec!["digits".into()], ..Default::default() };
    let corpus = Corpus::open(&folder, &options).unwrap();
    let recordings = corpus.of(Split::Valid);
    let cache = tempfile::tempdir().unwrap();
    let store =
        WaveStore::open_or_build(&recordings, 16_000, cache.path(), &mut |_, _| {}).unwrap();
    assert_eq!(store.len(), recordings.len());
    let difference = store.total_seconds() - corpus.seconds_of(Split::Valid);
    assert!(difference.abs() < ROUNDING_SECONDS, "{difference} s");
}
