//! From a folder of recordings to a continuation: every stage trained for a few steps, bundled, and
//! used.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::Path;

use audiolm::nn::Precision;
use audiolm::pipeline::{AssembleOptions, WindowFrames, assemble};
use audiolm::train::{Ending, Plan, Preset, Run, Stage, StopSignal, TrainError, Unobserved, train};
use audiolm::{AudioLm, Clip, ContinueOptions, Device};
use audiolm_tests::{voice, write_voices};

const WINDOW_FRAMES: WindowFrames =
    WindowFrames { semantic: 50, coarse: 25, fine: 25, parallel: Some(50) };

fn plan(data: &Path) -> Plan {
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = data.to_owned();
    plan
}

fn train_stage(stage: Stage, folder: &Path, plan: &Plan) -> Ending {
    try_stage(stage, folder, plan).unwrap()
}

fn try_stage(stage: Stage, folder: &Path, plan: &Plan) -> Result<Ending, TrainError> {
    let (device, stop) = (&Device::default(), &StopSignal::default());
    train(stage, Run { folder, plan, device, observer: &mut Unobserved, stop })
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
        prompt: Some(voice(150.0, 1.0)),
    };
    assemble(&run.join("export"), &bundle, &options, &Device::default()).unwrap();

    let lm = AudioLm::load(&bundle, &Device::default()).unwrap();
    let options = ContinueOptions { seconds: 0.5, prompt_seconds: 1.0, ..Default::default() };
    let continued = lm.continue_from(&voice(150.0, 2.0), &options).unwrap();
    assert_eq!(continued.clip.seconds(), 1.5);
    assert_eq!(continued, lm.continue_from(&voice(150.0, 2.0), &options).unwrap());
}

#[test]
fn language_models_are_trained_on_the_tokens_of_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_voices(&at("data"));
    let own = plan(&at("data"));
    let tokenizers = Stage::ALL.into_iter().filter(|it| it.makes_tokens());
    tokenizers.for_each(|it| assert_eq!(train_stage(it, &at("first"), &own), Ending::Finished));

    let mut plan = own.clone();
    plan.tokenizers = at("first/export");
    for stage in Stage::ALL {
        assert_eq!(train_stage(stage, &at("second"), &plan), Ending::Finished);
    }
    assert!(!at("second/codec").exists(), "the codec was trained again");
    let options = AssembleOptions {
        name: "second".into(),
        precision: Precision::Full,
        window_frames: WINDOW_FRAMES,
        prompt: None,
    };
    assemble(&at("second/export"), &at("bundle"), &options, &Device::default()).unwrap();
    let weights = |it: &str| std::fs::read(at(it).join("codec/model.safetensors")).unwrap();
    assert_eq!(weights("bundle"), weights("first/export"));

    plan.kmeans.n_clusters = 9;
    plan.semantic.model.n_ids = 9;
    plan.coarse.model.n_semantic_ids = 9;
    let error = try_stage(Stage::Semantic, &at("third"), &plan).unwrap_err().to_string();
    assert!(error.starts_with("kmeans.n_clusters: expected 8, as "), "{error}");
}

#[test]
fn tokens_of_another_tokenizer_are_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    write_voices(&folder.path().join("data"));
    let mut plan = plan(&folder.path().join("data"));
    for stage in [Stage::SemanticEncoder, Stage::Kmeans, Stage::Semantic] {
        train_stage(stage, &run, &plan);
    }
    plan.kmeans.layer = 2;
    train_stage(Stage::Kmeans, &run, &plan);
    let error = try_stage(Stage::Semantic, &run, &plan).unwrap_err().to_string();
    assert!(error.contains("lineage.semantic-tokenizer was "), "{error}");
}

#[test]
fn silence_and_the_shortest_recordings_are_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_voices(&data);
    let silence =
        |seconds: usize| Clip { samples: vec![0.0; seconds * 16_000], sample_rate_hz: 16_000 };
    for speaker in 0..4 {
        let at = |name: &str| data.join(format!("speaker-{speaker}/{name}.wav"));
        silence(30).write_wav(at("silence")).unwrap();
        voice(100.0, 0.01).write_wav(at("short")).unwrap();
    }
    for stage in Stage::ALL {
        let ending = train_stage(stage, &folder.path().join("run"), &plan(&data));
        assert_eq!(ending, Ending::Finished);
    }
}
