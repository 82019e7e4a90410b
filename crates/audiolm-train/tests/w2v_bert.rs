//! A run whose semantic encoder is w2v-BERT.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that unwraps fails where it should")]

use std::f32::consts::TAU;
use std::path::Path;

use audiolm_audio::Clip;
use audiolm_semantic::{
    ConformerConfig, EncoderConfig, GumbelQuantizerConfig, SemanticTokenizer,
    W2vBertPretrainingConfig, presets,
};
use audiolm_train::{
    Ending, Measures, Plan, Preset, Run, Stage, StopSignal, TrainError, Unobserved, read_metrics,
    train,
};
use burn::prelude::Device;

/// The smallest plan, with w2v-BERT in place of HuBERT.
fn plan(data: &Path) -> Plan {
    let encoder = ConformerConfig { dropout: 0.0, ..ConformerConfig::new(16, 2, 2, 32) };
    let quantizer = GumbelQuantizerConfig::new().with_n_entries(8).with_d_entry(8);
    let w2v_bert = W2vBertPretrainingConfig::new(encoder, 1)
        .with_quantizer(quantizer)
        .with_d_projection(8)
        .with_n_distractors(5);
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = data.to_owned();
    plan.semantic_encoder.w2v_bert = Some(w2v_bert);
    plan
}

/// Recordings of so many speakers whose samples this gives, by speaker and second.
fn recordings(folder: &Path, sample: impl Fn(usize, f32) -> f32) {
    for speaker in 0..24 {
        let place = folder.join(format!("speaker-{speaker}"));
        std::fs::create_dir_all(&place).unwrap();
        let samples = (0..24_000).map(|it| sample(speaker, it as f32 / 16_000.0));
        let clip = Clip { samples: samples.collect(), sample_rate_hz: 16_000 };
        clip.write_wav(place.join("sound.wav")).unwrap();
    }
}

fn gliding_tone(speaker: usize, seconds: f32) -> f32 {
    let hertz = (120.0 + 15.0 * speaker as f32) * (1.0 + 0.2 * (3.0 * seconds).sin());
    0.3 * (TAU * hertz * seconds).sin()
}

fn run(stage: Stage, folder: &Path, plan: &Plan) -> Result<Ending, TrainError> {
    let (device, stop) = (Device::default(), StopSignal::default());
    train(stage, Run { folder, plan, device: &device, observer: &mut Unobserved, stop: &stop })
}

fn measures(run: &Path) -> Measures {
    let lines = read_metrics(&run.join("semantic-encoder/metrics.jsonl")).unwrap();
    lines.last().unwrap().measures.clone()
}

#[test]
fn its_encoder_is_clustered_and_spoken_of() {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path(), gliding_tone);
    let plan = plan(data.path());
    for stage in [Stage::SemanticEncoder, Stage::Kmeans, Stage::Semantic] {
        assert_eq!(run(stage, folder.path(), &plan).unwrap(), Ending::Finished);
    }
    let measured = measures(folder.path());
    for name in
        ["contrastive", "prediction", "diversity", "contrastive_accuracy", "code_perplexity"]
    {
        assert!(measured.get(name).is_some_and(f64::is_finite), "{name}: {measured:?}");
    }
    let part = folder.path().join("export/semantic-tokenizer");
    let tokenizer = SemanticTokenizer::load(&part, &Device::default()).unwrap();
    let EncoderConfig::Conformer(found) = &tokenizer.config().encoder else {
        panic!("w2v-BERT is a conformer")
    };
    assert_eq!((found.d_model, found.n_layers), (16, 1));
    assert_eq!(tokenizer.geometry().hop_samples, 320);
}

#[test]
fn hubert_does_not_learn_from_other_frames_than_its_own() {
    let [data, first, second] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path(), gliding_tone);
    let mut plan = plan(data.path());
    assert_eq!(run(Stage::SemanticEncoder, first.path(), &plan).unwrap(), Ending::Finished);
    plan.semantic_encoder.w2v_bert = None;
    plan.semantic_encoder.targets_from = first.path().to_owned();
    plan.semantic_encoder.targets_layer = 1;
    let error = run(Stage::SemanticEncoder, second.path(), &plan).unwrap_err().to_string();
    let expected = "semantic_encoder.targets_from: expected frames of 320 samples that see 400, at \
                    16000 Hz, found frames of 320 samples that see 560, at 16000 Hz";
    assert_eq!(error, expected);
}

#[test]
fn codes_that_are_all_the_same_end_the_run() {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path(), |_, _| 0.0);
    let error = run(Stage::SemanticEncoder, folder.path(), &plan(data.path())).unwrap_err();
    assert!(matches!(error, TrainError::Collapsed { of: "codes", step: 4, .. }), "{error}");
    let expected = "codes of held-out frames are spread over 1.0 of 8 clusters";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!folder.path().join("export/semantic-encoder").exists());
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Plan), expected: &str) {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut plan = plan(data.path());
    change(&mut plan);
    let error = run(Stage::SemanticEncoder, folder.path(), &plan).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn w2v_bert(plan: &mut Plan) -> &mut W2vBertPretrainingConfig {
    plan.semantic_encoder.w2v_bert.as_mut().unwrap()
}

#[test]
fn what_does_not_fit_is_named() {
    check_refused(
        |it| w2v_bert(it).encoder.frames_stacked = 4,
        "the samples of a frame of the semantic encoder: expected 320, as the product of \
         codec.model.strides, found 640",
    );
    check_refused(
        |it| w2v_bert(it).n_contrastive_layers = 2,
        "the contrastive module has 2 of the encoder's 2 layers; expected at least 1, and fewer \
         than all",
    );
    check_refused(
        |it| w2v_bert(it).masking.span_frames = 1,
        "semantic_encoder.w2v_bert.masking.span_frames: expected at least 2, found 1",
    );
    check_refused(
        |it| it.semantic_encoder.targets_from = "runs/first".into(),
        "semantic_encoder.targets_from: expected nothing beside semantic_encoder.w2v_bert, found \
         runs/first",
    );
    check_refused(
        |it| it.semantic_encoder.crop_samples = 639,
        "semantic_encoder.crop_samples: expected at least 640, found 639",
    );
    check_refused(
        |it| it.kmeans.layer = 3,
        "kmeans.layer: expected at most the encoder's 2 layers, found 3",
    );
}

fn overridden(text: &str) -> Result<Plan, TrainError> {
    Plan::preset(Preset::Tiny).with_overrides(text, Path::new("mine.toml"))
}

#[test]
fn a_file_turns_it_on() {
    let text = "[semantic_encoder.w2v_bert]\nprediction_weight = 2\n\
                [semantic_encoder.w2v_bert.encoder]\nd_model = 96";
    let plan = overridden(text).unwrap();
    let mut expected = presets::w2v_bert_tiny_pretraining().with_prediction_weight(2.0);
    expected.encoder.d_model = 96;
    assert_eq!(plan.semantic_encoder.w2v_bert, Some(expected));
    assert_eq!(overridden(&plan.to_toml().unwrap()).unwrap(), plan);
    assert_eq!(overridden("").unwrap().semantic_encoder.w2v_bert, None);
}

#[test]
fn a_plan_of_hubert_does_not_speak_of_it() {
    let text = Plan::preset(Preset::Tiny).to_toml().unwrap();
    assert!(!text.contains("w2v_bert"), "{text}");
}

#[test]
fn its_unknown_keys_are_named() {
    let error = |text| overridden(text).unwrap_err().to_string();
    let found = error("[semantic_encoder.w2v_bert]\nn_distractor = 2");
    assert!(found.contains("unknown key semantic_encoder.w2v_bert.n_distractor;"), "{found}");
    let found = error("[semantic_encoder]\nw2v_bert = 2");
    assert!(found.contains("semantic_encoder.w2v_bert must be a table"), "{found}");
}
