//! Filling gaps, shown with models that know nothing.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use audiolm_audio::Clip;
use audiolm_pipeline::{
    AcousticDecoder, Gap, Infill, InfillOptions, Part, PipelineError, Progress, StageSampling,
};
use audiolm_transformer::Recall;
use support::{HOP, RATE_HZ, at_one, lm, recording};

/// Samples of the fade on each side.
const FADE: usize = 320;

fn options(seed: u64) -> InfillOptions {
    let sampling = StageSampling { recall: Recall::NONE, ..at_one() };
    InfillOptions { seed, candidates: 3, sampling, ..Default::default() }
}

/// Fills a gap and checks what always holds.
#[track_caller]
fn check(recording: &Clip, from: f64, to: f64, options: &InfillOptions) -> Infill {
    let found = lm().infill(recording, Gap { from, to }, options).unwrap();
    let Infill { clip, gap_samples, tokens, .. } = &found;
    let (start, end) = ((from * 50.0 + 1e-6) as usize * HOP, recording.samples.len());
    let n_right = clip.samples.len() - gap_samples.end;
    assert_eq!(gap_samples.start, start);
    let seconds = options.seconds.unwrap_or(to - from);
    let made = gap_samples.len() as f64 / f64::from(RATE_HZ);
    assert!((made - seconds).abs() <= 0.04, "{made} s for {seconds}");

    let kept = gap_samples.start.saturating_sub(FADE);
    assert_eq!(clip.samples[..kept], recording.samples[..kept], "left of the gap");
    let kept = n_right.saturating_sub(FADE);
    assert_eq!(clip.samples[clip.samples.len() - kept..], recording.samples[end - kept..], "right");
    assert!(clip.samples.iter().all(|it| it.abs() <= 1.0), "finite and in range");
    assert_eq!(tokens.n_frames(), clip.samples.len() / HOP);
    assert_eq!(tokens.durations.iter().sum::<u32>() as usize, tokens.n_frames());
    found
}

#[test]
fn outside_of_the_gap_no_sample_changes() {
    let found = check(&recording(1.0), 0.4, 0.6, &options(1));
    assert_eq!(found.clip.samples.len(), 16_000);
    let inside = &found.clip.samples[found.gap_samples];
    assert_ne!(inside, &recording(1.0).samples[6400..9600]);
}

#[test]
fn gaps_may_be_anywhere() {
    for (from, to) in [(0.0, 0.3), (0.01, 0.02), (0.3, 0.97), (0.97, 1.01), (0.5, 0.5 + 1e-7)] {
        check(&recording(1.01), from, to, &options(1));
    }
}

#[test]
fn gaps_longer_than_any_window_are_filled() {
    check(&recording(2.0), 0.3, 1.6, &options(1));
}

#[test]
fn what_fills_the_gap_may_be_longer_or_shorter_than_it() {
    for (to, seconds) in [(0.7, 0.1), (0.7, 1.5), (0.4, 0.2)] {
        check(&recording(1.0), 0.4, to, &InfillOptions { seconds: Some(seconds), ..options(1) });
    }
}

#[test]
fn a_rest_that_is_no_whole_frame_stays() {
    let recording = recording(0.8073);
    let found = check(&recording, 0.4, 0.6, &options(1));
    assert_eq!(found.clip.samples.len(), recording.samples.len());
}

#[test]
fn nothing_of_what_was_in_the_gap_is_heard() {
    let (recording, options) = (recording(1.0), options(1));
    let mut coughed = recording.clone();
    coughed.samples[6400..9600].fill(-0.9);
    assert_eq!(check(&coughed, 0.4, 0.6, &options), check(&recording, 0.4, 0.6, &options));
}

#[test]
fn the_same_seed_gives_the_same_samples() {
    let filled = |seed| check(&recording(1.0), 0.4, 0.6, &options(seed));
    assert_eq!(filled(1), filled(1));
    assert_ne!(filled(1).clip, filled(2).clip);
}

#[test]
fn the_right_side_chooses() {
    let (mut semantic, mut coarse) = (0.0, 0.0);
    for seed in 0..8 {
        let options = InfillOptions { candidates: 6, ..options(seed) };
        let found = check(&recording(1.0), 0.4, 0.6, &options);
        assert_eq!(found.semantic.log_likelihoods.len(), 6);
        semantic += found.semantic.gain();
        coarse += found.coarse.gain();
    }
    assert!(semantic > 0.0 && coarse > 0.0, "{semantic} {coarse}");
}

#[test]
fn without_a_right_side_all_candidates_are_alike() {
    let found = check(&recording(1.0), 0.5, 1.0, &options(1));
    assert_eq!(found.semantic.log_likelihoods, [0.0; 3]);
    assert_eq!(found.coarse.log_likelihoods, [0.0; 3]);
}

#[test]
fn progress_is_that_of_all_candidates() {
    let mut heard: Vec<Progress> = Vec::new();
    let gap = Gap { from: 0.4, to: 0.6 };
    lm().infill_with(&recording(1.0), gap, &options(1), &mut |it| heard.push(it)).unwrap();
    assert!(heard.is_sorted_by_key(|it| (it.stage, it.done)));
    for (stage, total) in [(Part::Semantic, 30), (Part::Coarse, 30), (Part::Fine, 10)] {
        let last = heard.iter().rfind(|it| it.stage == stage).unwrap();
        assert_eq!((last.done, last.total), (total, total));
    }
}

#[track_caller]
fn check_refused(from: f64, to: f64, options: &InfillOptions, message: &str) {
    let found: Result<Infill, PipelineError> =
        lm().infill(&recording(1.0), Gap { from, to }, options);
    assert_eq!(found.unwrap_err().to_string(), message);
}

#[test]
fn what_is_no_gap_is_refused() {
    let message = "the gap must lie within the recording, from 0 to 1.000 s, found from 0.5 to 1.5";
    check_refused(0.5, 1.5, &options(1), message);
    let message = "the gap at 0.5 s has no length: say how many seconds to fill it with";
    check_refused(0.5, 0.5, &options(1), message);
    let message = "0.100 s are left beside the gap, at least 0.2 s are needed";
    check_refused(0.0, 0.9, &options(1), message);
    let none = InfillOptions { candidates: 0, ..options(1) };
    check_refused(0.4, 0.6, &none, "candidates must be from 1 to 1024, found 0");
    let endless = InfillOptions { seconds: Some(-1.0), ..options(1) };
    let message = "seconds must be above 0 and at most 86400, found -1";
    check_refused(0.4, 0.6, &endless, message);
    let mut parallel = options(1);
    parallel.sampling.decoder = AcousticDecoder::Parallel;
    let message = "the parallel stage cannot draw a gap; the autoregressive ones can";
    check_refused(0.4, 0.6, &parallel, message);
}
