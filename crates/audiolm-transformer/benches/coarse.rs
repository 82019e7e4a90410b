//! What a code costs to draw and a batch to learn, with the tiny coarse stage.

// A benchmark that unwraps fails where it should.
#![allow(clippy::unwrap_used)]

use audiolm_nn::generator;
use audiolm_transformer::{
    CoarseBatch, CoarseRequest, CoarseRow, CoarseStage, CoarseStageConfig, Guidance, Recall, Stage,
};
use burn::prelude::*;
use divan::Bencher;
use divan::counter::ItemsCount;

/// Frames of the prompt, 3 s at 50 Hz.
const PROMPT_FRAMES: usize = 150;
const N_QUANTIZERS: usize = 3;

fn main() {
    divan::main();
}

fn stage(device: &Device) -> CoarseStage {
    CoarseStageConfig::tiny().init(device).unwrap()
}

/// A clip with a semantic token every other frame.
fn row(n_frames: usize) -> CoarseRow {
    let tokens = 0..n_frames as u32 / 2;
    CoarseRow {
        semantic: tokens.clone().map(|it| it % 256).collect(),
        semantic_frames: tokens.map(|it| it * 2).collect(),
        codes: vec![7; n_frames * N_QUANTIZERS],
        condition: None,
    }
}

/// Codes after a prompt, at the beginning and at the end of a long continuation.
#[divan::bench(args = [1, 100, 350], sample_count = 3)]
fn continues(bencher: Bencher, n_frames: usize) {
    let stage = stage(&Device::default());
    let (clip, prompt) = (row(PROMPT_FRAMES + n_frames), row(PROMPT_FRAMES));
    let request = CoarseRequest {
        semantic: &clip.semantic,
        semantic_frames: &clip.semantic_frames,
        prompt_codes: &prompt.codes,
        n_frames,
        sampling: CoarseStage::PAPER_SAMPLING,
        recall: Recall::NONE,
        recalled_frames: 0,
        condition: None,
        guidance: Guidance::NONE,
    };
    bencher
        .counter(ItemsCount::new(n_frames * N_QUANTIZERS))
        .bench(|| stage.generate(&request, generator(1, "bench", 0)).unwrap());
}

/// As many continuations of one prompt at a time.
#[divan::bench(args = [1, 2, 4, 8], sample_count = 3)]
fn continues_together(bencher: Bencher, n_rows: usize) {
    const N_FRAMES: usize = 100;
    let stage = stage(&Device::default());
    let (clip, prompt) = (row(PROMPT_FRAMES + N_FRAMES), row(PROMPT_FRAMES));
    let request = CoarseRequest {
        semantic: &clip.semantic,
        semantic_frames: &clip.semantic_frames,
        prompt_codes: &prompt.codes,
        n_frames: N_FRAMES,
        sampling: CoarseStage::PAPER_SAMPLING,
        recall: Recall::NONE,
        recalled_frames: 0,
        condition: None,
        guidance: Guidance::NONE,
    };
    bencher.counter(ItemsCount::new(n_rows * N_FRAMES * N_QUANTIZERS)).bench(|| {
        let rows = (0..n_rows as u64).map(|seed| (request, generator(seed, "bench", 0)));
        let mut together = stage.begin_all(rows.collect()).unwrap();
        while together.n_left() > 0 {
            stage.next_frames(&mut together);
        }
        together
    });
}

/// The loss and its gradients.
#[divan::bench(args = [1, 8], sample_count = 3)]
fn learns(bencher: Bencher, n_rows: usize) {
    let stage = stage(&Device::default().autodiff());
    let batch = CoarseBatch { rows: vec![row(PROMPT_FRAMES); n_rows] };
    let codes = ItemsCount::new(n_rows * PROMPT_FRAMES * N_QUANTIZERS);
    bencher.counter(codes).bench(|| stage.loss(&batch).unwrap().loss.backward());
}
