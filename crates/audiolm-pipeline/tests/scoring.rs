//! How likely recordings are, shown with models that know nothing.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use audiolm_pipeline::testing::{self, N_COARSE, N_QUANTIZERS, WINDOW_FRAMES};
use audiolm_pipeline::{Scored, Tokens};
use audiolm_transformer::LogLikelihood;
use support::{lm, recording};

/// How far random weights may be from knowing nothing, in nats per token: they prefer some codes, and other
/// ones in every run. A token that is counted twice is farther off.
const IGNORANCE: f64 = 2.0;

/// A token of `n` that are equally likely: what models that know nothing come near to.
#[track_caller]
fn check_ignorant(score: LogLikelihood, n_tokens: usize, n: usize) {
    assert_eq!(score.tokens, n_tokens);
    let mean = score.per_token();
    let expected = -(n as f64).ln();
    assert!((mean - expected).abs() < IGNORANCE, "{mean} for {expected}");
}

/// Every token is counted once.
#[track_caller]
fn check(seconds: f64) {
    let (lm, recording) = (lm(), recording(seconds));
    let tokens = lm.tokenize(&recording).unwrap();
    let score = lm.score(&recording, Scored::Everything).unwrap();
    let (n_runs, n_frames) = (tokens.semantic_ids.len(), tokens.n_frames());
    assert_eq!(score.seconds, n_frames as f64 / 50.0);
    assert_eq!((score.semantic.tokens, score.durations.tokens), (n_runs, n_runs));
    assert!(score.semantic.nats < 0.0 && score.durations.nats < 0.0);
    let codes = score.codes.unwrap();
    check_ignorant(codes.coarse, n_frames * N_COARSE, testing::CODEBOOK_SIZE);
    check_ignorant(codes.fine, n_frames * (N_QUANTIZERS - N_COARSE), testing::CODEBOOK_SIZE);
    assert_eq!(lm.score_tokens(&tokens, Scored::Everything).unwrap(), score);
    let semantic = lm.score(&recording, Scored::Semantic).unwrap();
    assert_eq!((semantic.semantic, semantic.codes), (score.semantic, None));
}

#[test]
fn a_recording_within_the_windows_is_scored_whole() {
    check(0.3);
}
#[test]
fn a_longer_one_is_scored_in_windows() {
    check(3.0);
}

#[test]
fn a_window_more_changes_nothing_before_it() {
    let lm = lm();
    // Runs of two frames, so that the windows of a longer row are those of a shorter one.
    let tokens = |n_runs: usize| Tokens {
        semantic_ids: (0..n_runs as u32).map(|it| it % 5).collect(),
        durations: vec![2; n_runs],
        codes: Vec::new(),
        frames_per_second: 50.0,
    };
    let nats = |n_runs| lm.score_tokens(&tokens(n_runs), Scored::Semantic).unwrap().semantic.nats;
    let per_window = WINDOW_FRAMES.semantic / 2;
    let step = per_window / 2;
    // Each window after the first adds half of it: from the third on, the same ids after the same.
    let sums: Vec<f64> = (0..5).map(|it| nats(per_window + it * step)).collect();
    let added: Vec<f64> = sums.windows(2).map(|it| it[1] - it[0]).collect();
    for it in &added {
        assert!((it - added[0]).abs() < 1e-3, "{added:?}");
    }
}

#[test]
fn tokens_that_are_none_are_refused() {
    let lm = lm();
    let tokens = lm.tokenize(&recording(0.3)).unwrap();
    let refused =
        |tokens: &Tokens| lm.score_tokens(tokens, Scored::Everything).unwrap_err().to_string();
    let mut strange = tokens.clone();
    strange.semantic_ids[0] = 99;
    assert_eq!(refused(&strange), "semantic id 99 at position 0 must be below 6");
    let mut short = tokens.clone();
    short.codes.iter_mut().for_each(|it| it.truncate(10));
    assert_eq!(refused(&short), "expected at most 10 frames, found 15");
    let mut timeless = tokens;
    timeless.durations.pop();
    assert!(refused(&timeless).contains("durations"), "{}", refused(&timeless));
}
