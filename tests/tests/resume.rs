//! An interrupted run is the same run. Alone in its file, so in a process of its own: the weights a
//! run begins with are drawn from the device, which all threads of a process share.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::Path;

use audiolm::Device;
use audiolm::train::{
    Ending, Measures, MetricsLine, Observer, Plan, Preset, Run, Stage, StopSignal, Unobserved,
    read_metrics, train,
};
use audiolm_tests::write_voices;

/// Relative. The CPU repeats every sum to the last digit; threads of a GPU add up in any order, and
/// the difference grows step by step.
fn tolerance() -> f64 {
    let on_cpu = std::env::var("BURN_DEVICE").map_or(true, |it| it.is_empty() || it == "flex");
    if on_cpu { 0.0 } else { 1e-3 }
}

/// Asks for a stop after the first step.
struct StopAtOnce(StopSignal);

impl Observer for StopAtOnce {
    fn begin(&mut self, _: &str, _: u64, _: u64) {}
    fn advance(&mut self, done: u64, measures: &Measures) {
        if done == 1 && measures.get("loss").is_some() {
            self.0.stop();
        }
    }
    fn validated(&mut self, _: u64, _: &Measures) {}
    fn end(&mut self) {}
}

struct Place<'a> {
    folder: &'a Path,
    plan: &'a Plan,
}

impl Place<'_> {
    fn train(&self, stage: Stage, observer: &mut dyn Observer, stop: &StopSignal) -> Ending {
        let Self { folder, plan } = self;
        let device = &Device::default();
        train(stage, Run { folder, plan, device, observer, stop }).unwrap()
    }

    fn train_whole(&self, stage: Stage) {
        let ending = self.train(stage, &mut Unobserved, &StopSignal::default());
        assert_eq!(ending, Ending::Finished);
    }

    fn train_parted(&self, stage: Stage) {
        let stop = StopSignal::default();
        let ending = self.train(stage, &mut StopAtOnce(stop.clone()), &stop);
        assert_eq!(ending, Ending::Stopped { step: 1 });
        self.train_whole(stage);
    }

    fn metrics(&self, stage: Stage) -> Vec<MetricsLine> {
        read_metrics(&self.folder.join(stage.name()).join("metrics.jsonl")).unwrap()
    }
}

#[track_caller]
fn check_same(whole: &[MetricsLine], parted: &[MetricsLine]) {
    assert_eq!(whole.len(), parted.len());
    for (one, other) in whole.iter().zip(parted) {
        assert_eq!((one.step, one.on), (other.step, other.on));
        for ((name, expected), (_, found)) in one.measures.iter().zip(other.measures.iter()) {
            let difference = (expected - found).abs();
            assert!(difference <= tolerance() * expected.abs(), "{name}: {one:?} {other:?}");
        }
    }
}

#[track_caller]
fn check_interrupted(stage: Stage, [whole, parted]: [&Place<'_>; 2]) {
    whole.train_whole(stage);
    parted.train_parted(stage);
    check_same(&whole.metrics(stage), &parted.metrics(stage));
}

/// The same with w2v-BERT in place of HuBERT.
fn with_w2v_bert(plan: &Plan) -> Plan {
    let text = "[semantic_encoder.w2v_bert.encoder]\nd_model = 16\nn_heads = 2\nn_layers = 3\n\
                d_feed_forward = 32\ndropout = 0.1";
    plan.clone().with_overrides(text, Path::new("w2v-bert.toml")).unwrap()
}

#[test]
fn an_interrupted_run_is_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = folder.path().join("data");
    // What is dropped out is then drawn anew for each layer, and must still be the same.
    plan.coarse.gradient_checkpointing = true;
    write_voices(&plan.data.folder);
    let (whole, parted) = (folder.path().join("whole"), folder.path().join("parted"));
    let (whole, parted) =
        (Place { folder: &whole, plan: &plan }, Place { folder: &parted, plan: &plan });
    for stage in Stage::ALL {
        if stage == Stage::Kmeans {
            whole.train_whole(stage);
            parted.train_whole(stage);
            continue;
        }
        check_interrupted(stage, [&whole, &parted]);
    }
    let plan = with_w2v_bert(&plan);
    let [whole, parted] = ["w2v-whole", "w2v-parted"].map(|it| folder.path().join(it));
    let [whole, parted] = [&whole, &parted].map(|folder| Place { folder, plan: &plan });
    check_interrupted(Stage::SemanticEncoder, [&whole, &parted]);
}
