//! Layers that are run again for their gradients: what they drop out stays the same, and they take less
//! memory. The only test of its binary: it seeds the device, and counts what the whole process takes.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_transformer::{
    Activations, CoarseBatch, CoarseRow, CoarseStage, CoarseStageConfig, DecoderConfig, Stage,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const FRAMES: usize = 200;
const QUANTIZERS: usize = 2;

fn stage(dropout: f64) -> CoarseStage {
    let device = Device::default().autodiff();
    device.seed(3);
    let decoder = DecoderConfig::new(32, 6, 4, 128).with_dropout(dropout);
    CoarseStageConfig::new(decoder, 10, QUANTIZERS, 16).init(&device).unwrap()
}

fn batch() -> CoarseBatch {
    let codes = (0..FRAMES * QUANTIZERS).map(|it| (it * it % 13) as u32).collect();
    let (semantic, semantic_frames) = (vec![4, 9, 1], vec![10, 50, 150]);
    CoarseBatch { rows: vec![CoarseRow { semantic, semantic_frames, codes, condition: None }] }
}

/// The loss of a step whose draws are always the same, and the gradients.
fn learnt(stage: &CoarseStage, mut activations: Activations) -> (f32, GradientsParams) {
    Device::default().autodiff().seed(5);
    let loss = stage.loss_leaving(&batch(), &mut activations).unwrap().loss;
    (loss.clone().into_scalar(), activations.gradients(&loss, stage))
}

/// The sum of the squares of all gradients.
struct Squares<'a>(&'a GradientsParams, f64);

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.0.get::<D>(param.id).expect("every weight has a gradient");
        self.1 += f64::from(gradient.square().sum().into_scalar::<f32>());
    }
}

/// A small step down the gradients lowers the loss by what they promise, if what is dropped out on the
/// way back is what was dropped out on the way forth.
fn check_promise(stage: CoarseStage) {
    const RATE: f64 = 2e-3;
    const SEED: u64 = 11;
    // Weights are drawn when they are first read.
    learnt(&stage, Activations::Kept);
    let (before, gradients) = learnt(&stage, Activations::recomputed(SEED));
    let mut squares = Squares(&gradients, 0.0);
    stage.visit(&mut squares);
    let promised = RATE * squares.1;
    let stage = SgdConfig::new().init().step(RATE, stage, gradients);
    let (after, _) = learnt(&stage, Activations::recomputed(SEED));
    let kept = f64::from(before - after) / promised;
    assert!((0.9..1.1).contains(&kept), "{before} fell to {after}: {kept} of {promised}");
}

/// Bytes that a step takes beside what was there.
fn peak(stage: &CoarseStage, activations: Activations) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    drop(learnt(stage, activations));
    ALLOCATOR.peak_usage() - before
}

#[test]
fn layers_are_run_again_as_they_ran_in_less_memory() {
    check_promise(stage(0.5));
    let stage = stage(0.0);
    let (kept, recomputed) =
        (peak(&stage, Activations::Kept), peak(&stage, Activations::recomputed(1)));
    assert!(3 * recomputed < kept, "{recomputed} bytes, {kept} where activations are kept");
}
