//! Sound that is heard while it is made, shown with models that know nothing.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::cell::RefCell;

use audiolm_pipeline::testing::WINDOW_FRAMES;
use audiolm_pipeline::{ContinueOptions, GenerateOptions, Part, Progress, ResynthesizeOptions};
use proptest::prelude::*;
use support::{HOP, lm, recording};

/// Samples that come at once: 0.2 s.
const BLOCK: usize = 3_200;

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]
    #[test]
    fn blocks_are_the_whole_to_the_last_bit(
        prompt_seconds in 0.2..1.5f64, seconds in 0.02..2.0f64, seed: u64,
    ) {
        let (lm, prompt) = (lm(), recording(prompt_seconds));
        let options = ContinueOptions { seconds, seed, ..Default::default() };
        let whole = lm.continue_from(&prompt, &options).unwrap();
        let mut blocks = lm.continue_stream(&prompt, &options).unwrap();
        prop_assert_eq!(blocks.n_samples(), whole.clip.samples.len());
        prop_assert_eq!(blocks.prompt_samples(), whole.prompt_samples);
        let mut samples = Vec::new();
        while let Some(block) = blocks.next() {
            samples.extend(block.unwrap());
            // What has come is the beginning, and tokens are never behind.
            prop_assert!(samples[..] == whole.clip.samples[..samples.len()]);
            prop_assert!(blocks.tokens().unwrap().n_frames() * HOP >= samples.len());
        }
        prop_assert_eq!(samples.len(), whole.clip.samples.len());
        prop_assert_eq!(blocks.tokens().unwrap(), whole.tokens);
    }
}

#[test]
fn what_comes_from_nothing_comes_in_blocks_too() {
    let (lm, options) = (lm(), GenerateOptions { seconds: 1.3, seed: 3, ..Default::default() });
    let whole = lm.generate(&options).unwrap();
    let blocks: Vec<_> = lm.generate_stream(&options).unwrap().map(Result::unwrap).collect();
    assert!(blocks.iter().all(|it| (1..=BLOCK).contains(&it.len())));
    assert!(blocks.concat() == whole.clip.samples);
}

#[test]
fn another_voice_comes_in_blocks_too() {
    let (lm, recording) = (lm(), recording(1.1));
    let options = ResynthesizeOptions { seed: 3, ..Default::default() };
    let whole = lm.resynthesize(&recording, &options).unwrap();
    let blocks = lm.resynthesize_stream(&recording, &options).unwrap();
    assert!(blocks.map(Result::unwrap).collect::<Vec<_>>().concat() == whole.clip.samples);
}

#[test]
fn nothing_is_drawn_before_it_is_asked_for() {
    let lm = lm();
    let drawn = RefCell::new(Vec::<Progress>::new());
    let options = ContinueOptions { seconds: 4.0, ..Default::default() };
    let blocks = lm.continue_stream(&recording(0.6), &options).unwrap();
    let n_prompt = blocks.prompt_samples();
    let mut blocks = blocks.with_progress(|it| drawn.borrow_mut().push(it));
    assert!(drawn.borrow().is_empty());
    let mut n_heard = 0;
    while n_heard <= n_prompt {
        n_heard += blocks.next().unwrap().unwrap().len();
    }
    let done = |stage| drawn.borrow().iter().rfind(|it| it.stage == stage).unwrap().done;
    // Frames of two blocks at most, what their chunk looks ahead, and what its window looks ahead.
    let two_blocks = 2 * BLOCK / HOP;
    assert!(done(Part::Fine) <= two_blocks);
    assert!(done(Part::Coarse) <= two_blocks + WINDOW_FRAMES.fine);
    assert!(done(Part::Semantic) <= two_blocks + WINDOW_FRAMES.fine + WINDOW_FRAMES.coarse);
    assert!(drawn.borrow().iter().all(|it| it.total == 200));
    blocks.for_each(|it| drop(it.unwrap()));
    assert_eq!(done(Part::Semantic), 200);
}

#[test]
fn sound_begins_long_before_its_end_is_drawn() {
    let (lm, first) = (lm(), RefCell::new([0_usize; 2]));
    let options = ContinueOptions { seconds: 10.0, ..Default::default() };
    let count = |it: Progress| {
        let mut first = first.borrow_mut();
        match it.stage {
            Part::Fine => first[1] = first[1].max(it.done),
            Part::Coarse if first[1] == 0 => first[0] = it.done,
            _ => {}
        }
    };
    let blocks = lm.continue_stream(&recording(0.6), &options).unwrap().with_progress(count);
    blocks.for_each(|it| drop(it.unwrap()));
    let [coarse_before_fine, fine] = *first.borrow();
    assert_eq!(fine, 500);
    // The chunk of 15 frames shows 7 of the recording and 4 of the latest.
    assert_eq!(coarse_before_fine, 4);
}
