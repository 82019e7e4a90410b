//! Runs that take a published codec instead of training one. Its weights here are small and random:
//! see `crates/audiolm-codec/tests/fixtures`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_audio::Clip;
use audiolm_train::{
    Ending, Plan, Preset, Run, Stage, StopSignal, TrainError, Unobserved, given_codec, take_codec,
    taken_codec, train,
};
use burn::prelude::Device;

fn fixture(name: &str) -> PathBuf {
    let codec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../audiolm-codec/tests/fixtures");
    codec.join(name)
}

fn recordings(folder: &Path) {
    for speaker in 0..3 {
        let place = folder.join(format!("speaker-{speaker}"));
        std::fs::create_dir_all(&place).unwrap();
        let pitch = 0.05 + 0.01 * speaker as f32;
        let samples = (0..48_000).map(|n| 0.3 * (n as f32 * pitch).sin()).collect();
        Clip { samples, sample_rate_hz: 16_000 }.write_wav(place.join("tone.wav")).unwrap();
    }
}

fn run(stage: Stage, folder: &Path, plan: &Plan) -> Result<Ending, TrainError> {
    let (device, stop) = (Device::default(), StopSignal::default());
    train(stage, Run { folder, plan, device: &device, observer: &mut Unobserved, stop: &stop })
}

#[test]
fn stages_learn_from_the_codec_that_was_taken() {
    let place = tempfile::tempdir().unwrap();
    let (data, folder) = (place.path().join("data"), place.path().join("run"));
    recordings(&data);
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = data;
    for stage in [Stage::SemanticEncoder, Stage::Kmeans] {
        assert_eq!(run(stage, &folder, &plan).unwrap(), Ending::Finished);
    }

    take_codec(&folder, &fixture("encodec_24khz")).unwrap();
    let encodec = plan.clone().with_codec(taken_codec(&folder).unwrap().unwrap());
    let error = run(Stage::Coarse, &folder, &encodec).unwrap_err().to_string();
    let expected = "EnCodec makes 75 frames per second, the semantic tokenizer 50";
    assert!(error.contains(expected), "{error}");
    std::fs::remove_dir_all(folder.join("export/codec")).unwrap();

    let spec = take_codec(&folder, &fixture("dac_16khz")).unwrap();
    let error = run(Stage::Coarse, &folder, &plan).unwrap_err().to_string();
    assert!(error.contains("the codec has 64, but coarse.model.codebook_size is 16"), "{error}");
    let plan = plan.with_codec(spec);
    for stage in [Stage::Coarse, Stage::Fine] {
        assert_eq!(run(stage, &folder, &plan).unwrap(), Ending::Finished);
    }

    // The tokenizers of that run serve another one, as those of a bundle do.
    let another = place.path().join("another");
    let plan = Plan { tokenizers: folder.join("export"), ..plan };
    assert_eq!(given_codec(&plan, &another).unwrap(), Some(spec));
    for stage in [Stage::Codec, Stage::Fine] {
        assert_eq!(run(stage, &another, &plan).unwrap(), Ending::Finished);
    }
    // A stage may leave the last quantizers out, but has no more than there are.
    let fewer = place.path().join("fewer");
    let mut plan = plan;
    plan.fine.model.n_quantizers = spec.n_quantizers - 1;
    for stage in [Stage::Codec, Stage::Fine] {
        assert_eq!(run(stage, &fewer, &plan).unwrap(), Ending::Finished);
    }
    plan.fine.model.n_quantizers = spec.n_quantizers + 1;
    let error = run(Stage::Fine, &another, &plan).unwrap_err().to_string();
    assert!(error.contains("fine.model.n_quantizers"), "{error}");
}

#[test]
fn a_run_keeps_the_codec_that_it_took() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    assert!(taken_codec(&folder).unwrap().is_none());
    let spec = take_codec(&folder, &fixture("dac_16khz")).unwrap();
    assert_eq!(taken_codec(&folder).unwrap(), Some(spec));
    assert_eq!(take_codec(&folder, &fixture("dac_16khz")).unwrap(), spec);
    let error = take_codec(&folder, &fixture("mimi_24khz")).unwrap_err();
    assert!(matches!(error, TrainError::OtherCodec { .. }), "{error}");
}

#[test]
fn a_folder_without_a_codec_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let error = take_codec(&place.path().join("run"), place.path()).unwrap_err().to_string();
    assert!(error.contains("config.json"), "{error}");
}
