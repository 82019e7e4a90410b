//! From a folder of recordings to a continuation: every stage trained for a few steps, bundled, and
//! used.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::Path;

use audiolm::nn::Precision;
use audiolm::pipeline::{AssembleOptions, WindowFrames, assemble};
use audiolm::train::{Ending, Plan, Preset, Run, Stage, StopSignal, Unobserved, train};
use audiolm::{AudioLm, ContinueOptions, Device};
use audiolm_tests::{voice, write_voices};

const WINDOW_FRAMES: WindowFrames = WindowFrames { semantic: 50, coarse: 25, fine: 25 };

fn plan(data: &Path) -> Plan {
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = data.to_owned();
    plan
}

fn train_stage(stage: Stage, folder: &Path, plan: &Plan) -> Ending {
    let (device, stop) = (&Device::default(), &StopSignal::default());
    train(stage, Run { folder, plan, device, observer: &mut Unobserved, stop }).unwrap()
}

#[test]
fn recordings_become_a_model_that_continues_them() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run, bundle) =
        (folder.path().join("data"), folder.path().join("run"), folder.path().join("bundle"));
    write_voices(&data);
    for stage in Stage::ALL {
        assert_eq!(train_stage(stage, &run, &plan(&data)), Ending::Finished);
    }
    let options = AssembleOptions {
        name: "chain".into(),
        precision: Precision::Half,
        window_frames: WINDOW_FRAMES,
    };
    assemble(&run.join("export"), &bundle, &options, &Device::default()).unwrap();

    let lm = AudioLm::load(&bundle, &Device::default()).unwrap();
    let options = ContinueOptions { seconds: 0.5, prompt_seconds: 1.0, ..Default::default() };
    let continued = lm.continue_from(&voice(150.0, 2.0), &options).unwrap();
    assert_eq!(continued.clip.seconds(), 1.5);
    assert_eq!(continued, lm.continue_from(&voice(150.0, 2.0), &options).unwrap());
}
