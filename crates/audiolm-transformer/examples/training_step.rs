//! What a training step takes in time and memory, with activations kept and recomputed:
//!
//! ```text
//! cargo run --release -p audiolm-transformer --example training_step -- 200
//! ```
//!
//! is a step of a coarse stage, 320 wide and 6 layers deep, on four crops of so many frames of three
//! codes.

#![allow(clippy::print_stdout, reason = "it reports")]

use std::error::Error;
use std::time::Instant;

use audiolm_transformer::{
    Activations, CoarseBatch, CoarseRow, CoarseStage, CoarseStageConfig, DecoderConfig, Stage,
};
use burn::prelude::*;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Crops in a batch.
const BATCH: usize = 4;
/// Codes of a frame.
const QUANTIZERS: usize = 3;
/// Steps, of which the fastest counts, after one that does not.
const STEPS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    audiolm_flex::work_on_this_thread();
    audiolm_flex::install();
    let frames = std::env::args().nth(1).ok_or("expected frames, as in: 200")?.parse()?;
    let decoder = DecoderConfig::new(320, 6, 8, 1280);
    let stage =
        CoarseStageConfig::new(decoder, 100, QUANTIZERS, 1024).init(&Device::flex().autodiff())?;
    let batch = CoarseBatch { rows: vec![row(frames); BATCH] };
    for (name, activations) in [
        ("kept", (|| Activations::Kept) as fn() -> Activations),
        ("recomputed", || Activations::recomputed(1)),
    ] {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let mut seconds = f64::INFINITY;
        for step in 0..=STEPS {
            let taken = step_seconds(&stage, &batch, activations())?;
            seconds = if step == 0 { seconds } else { seconds.min(taken) };
        }
        let megabytes = (ALLOCATOR.peak_usage() - before) as f64 / 1e6;
        println!("{name}: {seconds:.2} s, {megabytes:.0} MB beside the weights");
    }
    Ok(())
}

fn row(frames: usize) -> CoarseRow {
    let (ids, codes) = (frames as u32 / 2, frames * QUANTIZERS);
    CoarseRow {
        semantic: vec![4; ids as usize],
        semantic_frames: (0..ids).map(|it| 2 * it).collect(),
        codes: (0..codes as u32).map(|it| it % 1024).collect(),
        condition: None,
    }
}

fn step_seconds(
    stage: &CoarseStage,
    batch: &CoarseBatch,
    mut activations: Activations,
) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    let loss = stage.loss_leaving(batch, &mut activations)?;
    activations.gradients(&loss.loss, stage);
    Ok(began.elapsed().as_secs_f64())
}
