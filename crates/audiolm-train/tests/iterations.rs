//! HuBERT's second iteration: an encoder learns to guess clusters of what another has learnt.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::f32::consts::TAU;
use std::path::Path;

use audiolm_audio::Clip;
use audiolm_train::{
    Ending, Plan, Preset, Run, Stage, StopSignal, TrainError, Unobserved, read_metrics, train,
};
use burn::prelude::Device;

/// Two speakers, one of them held out.
fn recordings(folder: &Path) {
    for (speaker, hertz) in [("a", 220.0), ("b", 330.0)] {
        let place = folder.join(speaker);
        std::fs::create_dir_all(&place).unwrap();
        let samples = (0..32_000).map(|it| {
            let seconds = it as f32 / 16_000.0;
            0.3 * (TAU * hertz * (1.0 + seconds) * seconds).sin()
        });
        let clip = Clip { samples: samples.collect(), sample_rate_hz: 16_000 };
        clip.write_wav(place.join("glide.wav")).unwrap();
    }
}

fn plan(data: &Path) -> Plan {
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = data.to_owned();
    plan
}

fn pretrain(folder: &Path, plan: &Plan) -> Result<Ending, TrainError> {
    train(
        Stage::SemanticEncoder,
        Run {
            folder,
            plan,
            device: &Device::default(),
            observer: &mut Unobserved,
            stop: &StopSignal::default(),
        },
    )
}

#[track_caller]
fn check_refused(plan: &Plan, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let error = pretrain(folder.path(), plan).unwrap_err().to_string();
    assert!(expected.iter().all(|it| error.contains(it)), "{error}");
}

#[test]
fn the_second_iteration_learns_from_the_first() {
    let [data, first, second] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    assert_eq!(pretrain(first.path(), &plan(data.path())).unwrap(), Ending::Finished);

    let mut next = plan(data.path());
    next.semantic_encoder.targets_from = first.path().to_owned();
    next.semantic_encoder.targets_layer = 1;
    assert_eq!(pretrain(second.path(), &next).unwrap(), Ending::Finished);

    // Other targets, other losses, from the very first step.
    let loss = |folder: &Path| {
        let lines = read_metrics(&folder.join("semantic-encoder/metrics.jsonl")).unwrap();
        lines[0].measures.get("prediction")
    };
    assert_ne!(loss(first.path()), loss(second.path()));

    next.semantic_encoder.targets_layer = 99;
    check_refused(&next, &["semantic_encoder.targets_layer", "at most the", "99"]);
    next.semantic_encoder.targets_layer = 1;
    // A codec of as many samples to a frame, so that only the targets differ.
    next.semantic_encoder.model.conv_layers[0].stride = 4;
    next.codec.model.strides = vec![4; 4];
    next.codec.crop_samples = 4096;
    check_refused(&next, &["semantic_encoder.targets_from", "320", "256"]);
}

#[test]
fn a_run_without_an_encoder_teaches_nothing() {
    let [data, empty] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let mut plan = plan(data.path());
    plan.semantic_encoder.targets_from = empty.path().to_owned();
    check_refused(&plan, &["semantic-encoder"]);
}
