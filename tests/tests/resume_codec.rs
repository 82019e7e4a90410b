//! An interrupted adversarial training is the same training, and so is one that had to go back to a
//! checkpoint. Alone in its file, so in a process of its own, as `resume.rs` is.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::Path;

use audiolm::Device;
use audiolm::train::{
    Ending, LossWeights, MeasuredOn, Measures, MetricsLine, Observer, Plan, Preset, Run, Stage,
    StopSignal, Unobserved, read_metrics, train,
};
use audiolm_tests::write_voices;

/// Relative, as in `resume.rs`.
fn tolerance() -> f64 {
    let on_cpu = std::env::var("BURN_DEVICE").map_or(true, |it| it.is_empty() || it == "flex");
    if on_cpu { 0.0 } else { 1e-3 }
}

/// Asks for a stop after so many steps.
struct StopAfter(u64, StopSignal);

impl Observer for StopAfter {
    fn begin(&mut self, _: &str, _: u64, _: u64) {}
    fn advance(&mut self, done: u64, measures: &Measures) {
        if done == self.0 && measures.get("loss").is_some() {
            self.1.stop();
        }
    }
    fn validated(&mut self, _: u64, _: &Measures) {}
    fn end(&mut self) {}
}

fn run(folder: &Path, plan: &Plan, observer: &mut dyn Observer, stop: &StopSignal) -> Ending {
    train(Stage::Codec, Run { folder, plan, device: &Device::default(), observer, stop }).unwrap()
}

fn whole(folder: &Path, plan: &Plan) -> Vec<MetricsLine> {
    let ending = run(folder, plan, &mut Unobserved, &StopSignal::default());
    assert_eq!(ending, Ending::Finished);
    read_metrics(&folder.join("codec/metrics.jsonl")).unwrap()
}

fn parted(folder: &Path, plan: &Plan, step: u64) -> Vec<MetricsLine> {
    let stop = StopSignal::default();
    let ending = run(folder, plan, &mut StopAfter(step, stop.clone()), &stop);
    assert_eq!(ending, Ending::Stopped { step });
    whole(folder, plan)
}

#[track_caller]
fn check_same(change: impl FnOnce(&mut Plan), rollbacks: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = folder.path().join("data");
    write_voices(&plan.data.folder);
    plan.codec.schedule.steps = 6;
    change(&mut plan);
    let whole = whole(&folder.path().join("whole"), &plan);
    let parted = parted(&folder.path().join("parted"), &plan, 3);
    assert_eq!(whole.iter().filter(|it| it.on == MeasuredOn::Rollback).count(), rollbacks);
    assert_eq!(whole.len(), parted.len());
    for (one, other) in whole.iter().zip(&parted) {
        assert_eq!((one.step, one.on), (other.step, other.on));
        for ((name, expected), (_, found)) in one.measures.iter().zip(other.measures.iter()) {
            let difference = (expected - found).abs();
            assert!(difference <= tolerance() * expected.abs(), "{name}: {one:?} {other:?}");
        }
    }
}

#[test]
fn an_interrupted_run_is_the_same_run_against_discriminators_and_after_a_rollback() {
    check_same(|plan| plan.codec.adversary.weights = LossWeights::sound_stream(), 0);
    check_same(|plan| plan.codec.adversary.weights = LossWeights::encodec(), 0);
    check_same(
        |plan| {
            plan.codec.schedule.peak_learning_rate = 1e12;
            plan.codec.guard.rate_share = 1e-15;
        },
        1,
    );
}
