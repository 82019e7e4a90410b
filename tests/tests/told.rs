//! From recordings with transcripts to a bundle that is told what to say: every stage trained for a
//! few steps, bundled, and told.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use audiolm::nn::Precision;
use audiolm::pipeline::{AssembleOptions, Bundle, Gap, PipelineError, WindowFrames, assemble};
use audiolm::text::{
    Characters, Conditioner, ConditionerConfig, Description, Joint, JointEmbedding, T5, TextError,
};
use audiolm::train::{
    ConditionSettings, ConditionerKind, Ending, Plan, Preset, Run, Stage, StopSignal, Told,
    ToldStage, Unobserved, train_with,
};
use audiolm::{
    AudioLm, Device, GenerateOptions, InfillOptions, ResynthesizeOptions, StageSampling,
};
use audiolm_tests::{workspace, write_voices};
use tempfile::TempDir;

/// Recordings of voices whose pitch is written down.
fn write_told_voices(folder: &Path) {
    write_voices(folder);
    let mut manifest = "path,split,transcript\n".to_owned();
    for (voice, (split, word)) in
        [("train", "low"), ("train", "middle"), ("train", "high"), ("valid", "high")]
            .into_iter()
            .enumerate()
    {
        writeln!(manifest, "speaker-{voice}/a.wav,{split},{word}").unwrap();
    }
    std::fs::write(folder.join("manifest.csv"), manifest).unwrap();
}

/// A bundle that has learnt to be told something.
struct Bundled {
    folder: TempDir,
}

impl Bundled {
    fn new(condition: ConditionSettings, provided: Option<Arc<dyn Conditioner>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_told_voices(&at("data"));
        let mut plan = Plan::preset(Preset::Smoke);
        plan.data.folder = at("data");
        // As long as the recordings: of parts of them nobody knows what is said.
        plan.semantic.crop_seconds = 3.0;
        plan.coarse.crop_seconds = 3.0;
        plan.condition = Some(condition);
        for stage in Stage::ALL {
            let (device, stop) = (&Device::default(), &StopSignal::default());
            let run =
                Run { folder: &at("run"), plan: &plan, device, observer: &mut Unobserved, stop };
            assert_eq!(train_with(stage, run, provided.clone()).unwrap(), Ending::Finished);
        }
        let options = AssembleOptions {
            name: "told".into(),
            precision: Precision::Full,
            window_frames: WindowFrames { semantic: 50, coarse: 25, fine: 25, parallel: None },
            prompt: None,
        };
        assemble(&at("run/export"), &at("bundle"), &options, &Device::default()).unwrap();
        Self { folder }
    }

    fn lm(&self) -> AudioLm {
        AudioLm::load(self.folder.path().join("bundle"), &Device::default()).unwrap()
    }

    fn conditioner(&self) -> Option<ConditionerConfig> {
        let bundle = Bundle::open(self.folder.path().join("bundle")).unwrap();
        bundle.manifest().conditioner.clone()
    }
}

fn settings(conditioner: ConditionerKind) -> ConditionSettings {
    let stages = vec![ToldStage::Semantic, ToldStage::Coarse];
    ConditionSettings { conditioner, stages, ..Default::default() }
}

fn options(seconds: f64) -> GenerateOptions {
    let mut sampling = StageSampling::default();
    for stage in [&mut sampling.semantic, &mut sampling.coarse, &mut sampling.fine] {
        stage.temperature = 1.0;
    }
    GenerateOptions { seconds, seed: 1, sampling, ..Default::default() }
}

#[track_caller]
fn check_told_apart(lm: impl Fn() -> AudioLm, texts: [&str; 2]) {
    let told = |text| lm().told(&Description::Text(text)).unwrap();
    let made = texts.map(|it| told(it).generate(&options(1.0)).unwrap());
    assert_eq!(made[0], told(texts[0]).generate(&options(1.0)).unwrap());
    assert_ne!(made[0].tokens, made[1].tokens, "it does not listen");
    assert_ne!(made[0].tokens, lm().generate(&options(1.0)).unwrap().tokens);
    let said = told(texts[0]).say(&options(1.0)).unwrap();
    assert!(said.clip.seconds() <= 1.0);

    let recording = &made[0].clip;
    let sampling = options(1.0).sampling;
    let filling = InfillOptions { candidates: 2, sampling, ..Default::default() };
    let gap = Gap { from: 0.3, to: 0.8 };
    let filled = texts.map(|it| told(it).infill(recording, gap, &filling).unwrap());
    assert_ne!(filled[0].tokens, filled[1].tokens, "it does not listen where it fills a gap");
    let anew = ResynthesizeOptions { sampling, ..Default::default() };
    let sounds = texts.map(|it| told(it).resynthesize(recording, &anew).unwrap());
    assert_ne!(sounds[0].tokens, sounds[1].tokens, "it does not listen where it speaks anew");
}

#[test]
fn a_bundle_says_what_its_letters_tell_it() {
    let bundled = Bundled::new(settings(ConditionerKind::Characters), None);
    assert_eq!(bundled.conditioner(), Some(ConditionerConfig::Characters));
    check_told_apart(|| bundled.lm(), ["low", "high"]);
}

#[test]
fn a_bundle_is_told_the_labels_it_knows() {
    let bundled = Bundled::new(settings(ConditionerKind::Labels), None);
    let names = ["high", "low", "middle"].map(String::from).to_vec();
    assert_eq!(bundled.conditioner(), Some(ConditionerConfig::Labels { names }));
    check_told_apart(|| bundled.lm(), ["low", "high"]);
    let error = bundled.lm().told(&Description::Text("shrill")).unwrap_err().to_string();
    assert!(error.contains("`high`, `low`, `middle`, found `shrill`"), "{error}");
}

/// A T5 of random weights beside a tokenizer, as they are published.
fn write_t5(folder: &Path) {
    let fixtures = workspace().join("crates/audiolm-text/tests/fixtures");
    std::fs::create_dir_all(folder).unwrap();
    for file in
        ["t5_relu/config.json", "t5_relu/model.safetensors", "sentence_piece/model/spiece.model"]
    {
        let from = fixtures.join(file);
        std::fs::copy(&from, folder.join(from.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_bundle_is_told_through_a_t5_that_it_names() {
    let place = tempfile::tempdir().unwrap();
    write_t5(place.path());
    let name = place.path().to_str().unwrap().to_owned();
    let t5 = ConditionSettings { t5: name.clone(), ..settings(ConditionerKind::T5) };
    let bundled = Bundled::new(t5, None);
    assert_eq!(bundled.conditioner(), Some(ConditionerConfig::T5 { name: name.clone() }));
    let error = bundled.lm().told(&Description::Text("low")).unwrap_err().to_string();
    assert!(error.contains(&format!("the T5 {name}")), "{error}");
    let t5: Arc<dyn Conditioner> =
        Arc::new(T5::load_from(place.path(), &Device::default()).unwrap());
    check_told_apart(|| bundled.lm().with_conditioner(t5.clone()).unwrap(), ["low", "high"]);
    let error = bundled.lm().with_conditioner(Arc::new(Characters)).unwrap_err();
    assert!(matches!(error, PipelineError::ConditionWidth { expected: 24, .. }), "{error}");
}

/// Sounds by their loudness, which some words name.
#[derive(Debug)]
struct Loudness;

impl JointEmbedding for Loudness {
    fn width(&self) -> usize {
        2
    }

    fn of_text(&self, text: &str) -> Result<Vec<f32>, TextError> {
        Ok(if text == "loud" { vec![1.0, 0.0] } else { vec![0.0, 1.0] })
    }

    fn of_sound(&self, samples: &[f32], _: u32) -> Result<Vec<f32>, TextError> {
        let loudest = samples.iter().fold(0.0f32, |it, sample| it.max(sample.abs()));
        Ok(vec![loudest, 1.0 - loudest])
    }
}

#[test]
fn a_joint_embedding_needs_no_transcripts() {
    let conditioner: Arc<dyn Conditioner> = Arc::new(Joint(Loudness));
    let settings = ConditionSettings { of: Told::Sound, ..settings(ConditionerKind::Provided) };
    let bundled = Bundled::new(settings, Some(conditioner.clone()));
    assert_eq!(bundled.conditioner(), Some(ConditionerConfig::Provided));
    let error = bundled.lm().told(&Description::Text("loud")).unwrap_err();
    assert!(matches!(error, PipelineError::NoConditioner { .. }), "{error}");
    check_told_apart(
        || bundled.lm().with_conditioner(conditioner.clone()).unwrap(),
        ["loud", "soft"],
    );
}
