//! The bundled tokenizer of English keeps its promise: its tokens tell words apart, whoever says them.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use audiolm::data::{Corpus, CorpusOptions, Split};
use audiolm::discrimination::{AbxReport, DiscriminationOptions, Labels, Tokenizers, discriminate};
use audiolm::semantic::SemanticTokenizer;
use audiolm::{Clip, Device};
use audiolm_tests::{bundled_model, recordings, workspace};

/// The most that its tokens may err, as a share of what clusters of MFCCs do.
const MAX_SHARE: f64 = 0.5;
/// Different ids in three seconds that sound like speech: of silence alone there are a few.
const LEAST_IDS: usize = 20;

fn tokenizer() -> PathBuf {
    workspace().join("models/english-phones")
}

#[test]
fn what_sounds_like_speech_has_many_ids_and_the_same_in_chunks() {
    let clip = Clip::read(bundled_model().join("prompt.wav")).unwrap();
    let tokenizer = SemanticTokenizer::load(&tokenizer(), &Device::default()).unwrap();
    let ids = |chunk: usize| {
        let mut stream = tokenizer.stream();
        let mut ids: Vec<_> = clip.samples.chunks(chunk).flat_map(|it| stream.push(it)).collect();
        ids.extend(stream.finish());
        ids
    };
    let whole = ids(clip.samples.len());
    let distinct: BTreeSet<_> = whole.iter().collect();
    assert!(distinct.len() >= LEAST_IDS, "{whole:?}");
    assert_eq!(ids(1000), whole);
}

#[test]
fn words_of_unheard_speakers_are_told_apart_twice_as_well_as_by_clusters_of_mfccs() {
    let Some(folder) = recordings() else { return };
    let options = CorpusOptions { sets: vec!["digits".to_owned()], ..Default::default() };
    let corpus = Corpus::open(folder, &options).unwrap();
    let held_out = [corpus.of(Split::Valid), corpus.of(Split::Test)].concat();
    let labelled = Labels::Transcripts.read(&held_out).unwrap();
    let train = corpus.of(Split::Train).into_iter().map(|it| Clip::read(&it.path).unwrap());
    let options = DiscriminationOptions {
        most_examples: 50,
        seed: 0,
        quantizers: Vec::new(),
        train: train.collect(),
    };
    let tokenizers = Tokenizers::semantic(&tokenizer(), &Device::default()).unwrap();
    let report = discriminate(&tokenizers, &labelled, &options, &mut |_| {}).unwrap();
    let [tokens, clusters] = ["semantic tokens", "MFCC, "].map(|it| errors(&report, it));
    for (tokens, clusters) in tokens.into_iter().zip(clusters) {
        assert!(tokens < MAX_SHARE * clusters, "{report}");
    }
}

/// Within and across speakers, of the representation whose name begins so.
fn errors(report: &AbxReport, name: &str) -> [f64; 2] {
    let row = report.rows.iter().find(|it| it.representation.starts_with(name)).unwrap();
    [row.errors.within.unwrap(), row.errors.across.unwrap()]
}
