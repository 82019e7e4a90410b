//! A run whose semantic encoder learns to spell what is said.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that unwraps fails where it should")]

use std::f32::consts::TAU;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use audiolm_audio::Clip;
use audiolm_semantic::{
    ConformerConfig, EncoderConfig, MelMasking, MelNormalisation, SemanticTokenizer,
    TranscriptionConfig,
};
use audiolm_train::{
    Cadence, Ending, Measures, Observer, Plan, Preset, Run, Schedule, Stage, StopSignal,
    TrainError, TranscriptionSettings, Unobserved, VoiceSettings, read_metrics, train,
};
use burn::prelude::Device;

/// Initial weights are drawn from the device's generator, which all threads share: one training at a
/// time draws what its seed says.
static TRAINING: Mutex<()> = Mutex::new(());

const WORDS: [&str; 3] = ["ab", "ba", "aab"];

/// The smallest plan that learns to spell.
fn plan(data: &Path) -> Plan {
    let encoder = ConformerConfig {
        dropout: 0.0,
        mel_normalisation: MelNormalisation::Fixed,
        ..ConformerConfig::new(32, 2, 2, 64)
    };
    // A tone is in few mels, so none are hidden.
    let model = TranscriptionConfig::new(encoder, 1).with_masking(MelMasking::new().with_bands(0));
    let voices = VoiceSettings { speed: 0.1, ..VoiceSettings::default() };
    let transcription = TranscriptionSettings {
        model,
        voices,
        batch_seconds: 3.0,
        lengths: 2,
        ..Default::default()
    };
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = data.to_owned();
    plan.semantic_encoder.transcription = Some(transcription);
    plan
}

/// Words of two sounds, each a tone, by speakers of several voices, and a manifest of them.
fn recordings(folder: &Path) {
    let mut manifest = "path,speaker,split,transcript\n".to_owned();
    for speaker in 0..8 {
        let split = if speaker < 6 { "train" } else { "valid" };
        for (index, word) in WORDS.iter().enumerate() {
            let name = format!("{speaker}-{index}.wav");
            let sound = |letter: u8| {
                let hertz = if letter == b'a' { 400.0 } else { 1600.0 };
                let hertz = hertz * (1.0 + 0.02 * speaker as f32);
                let tone = (0..2400).map(move |it| 0.3 * (TAU * hertz * it as f32 / 16e3).sin());
                tone.chain(std::iter::repeat_n(0.0, 800))
            };
            let samples = word.bytes().flat_map(sound).collect();
            Clip { samples, sample_rate_hz: 16_000 }.write_wav(folder.join(&name)).unwrap();
            writeln!(manifest, "{name},{speaker},{split},{word}").unwrap();
        }
    }
    std::fs::write(folder.join("manifest.csv"), manifest).unwrap();
}

fn run(stage: Stage, folder: &Path, plan: &Plan) -> Result<Ending, TrainError> {
    watched(stage, folder, plan, &mut Unobserved, &StopSignal::default())
}

fn watched(
    stage: Stage,
    folder: &Path,
    plan: &Plan,
    observer: &mut dyn Observer,
    stop: &StopSignal,
) -> Result<Ending, TrainError> {
    let _alone = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
    train(stage, Run { folder, plan, device: &Device::default(), observer, stop })
}

#[test]
fn held_out_speakers_are_spelt_and_their_tokens_exported() {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let mut plan = plan(data.path());
    plan.semantic_encoder.schedule =
        Schedule { steps: 200, warmup_steps: 20, peak_learning_rate: 5e-3, final_share: 0.05 };
    plan.semantic_encoder.cadence = Cadence { log_every: 20, validate_every: 200, save_every: 200 };
    for stage in [Stage::SemanticEncoder, Stage::Kmeans] {
        assert_eq!(run(stage, folder.path(), &plan).unwrap(), Ending::Finished);
    }
    let lines = read_metrics(&folder.path().join("semantic-encoder/metrics.jsonl")).unwrap();
    // One who says nothing has an error of 1, one who always says "ab" of 3 in 7.
    let errors = lines.last().unwrap().measures.get("spelling_errors").unwrap();
    assert!(errors < 0.2, "{errors}");
    let part = folder.path().join("export/semantic-tokenizer");
    let tokenizer = SemanticTokenizer::load(&part, &Device::default()).unwrap();
    let EncoderConfig::Conformer(found) = &tokenizer.config().encoder else {
        panic!("what spells is a conformer")
    };
    assert_eq!(found.mel_normalisation, MelNormalisation::Fixed);
}

#[test]
fn a_resumed_run_is_an_uninterrupted_one() {
    let [data, whole, resumed] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let plan = plan(data.path());
    run(Stage::SemanticEncoder, whole.path(), &plan).unwrap();

    let stop = StopSignal::default();
    let mut observer = StopAfterOne(stop.clone());
    let folder = resumed.path();
    let first = watched(Stage::SemanticEncoder, folder, &plan, &mut observer, &stop);
    assert_eq!(first.unwrap(), Ending::Stopped { step: 1 });
    assert_eq!(run(Stage::SemanticEncoder, folder, &plan).unwrap(), Ending::Finished);
    let [whole, resumed] = [whole, resumed].map(|it| {
        std::fs::read(it.path().join("export/semantic-encoder/model.safetensors")).unwrap()
    });
    assert!(whole == resumed, "the weights differ");
}

/// Stops a run after its first step.
struct StopAfterOne(StopSignal);

impl Observer for StopAfterOne {
    fn begin(&mut self, _: &str, _: u64, _: u64) {}

    fn advance(&mut self, done: u64, measures: &Measures) {
        if done == 1 && measures.get("loss").is_some() {
            self.0.stop();
        }
    }

    fn validated(&mut self, _: u64, _: &Measures) {}
    fn end(&mut self) {}
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Plan), expected: &str) {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let mut plan = plan(data.path());
    change(&mut plan);
    let error = run(Stage::SemanticEncoder, folder.path(), &plan).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn transcription(plan: &mut Plan) -> &mut TranscriptionSettings {
    plan.semantic_encoder.transcription.as_mut().unwrap()
}

#[test]
fn names_what_no_run_can_learn_from() {
    check_refused(
        |it| transcription(it).model.middle_layer = 2,
        "middle_layer: expected one below the last of 2 layers, or 0, found 2",
    );
    check_refused(
        |it| transcription(it).voices.noise_share = 1.5,
        "semantic_encoder.transcription.voices.noise_share: expected a share from 0 to 1, found 1.5",
    );
    check_refused(
        |it| transcription(it).lengths = 0,
        "semantic_encoder.transcription.lengths: expected at least 1, found 0",
    );
    check_refused(
        |it| transcription(it).voices.equaliser_db = -1.0,
        "semantic_encoder.transcription.voices.equaliser_db: expected a number from 0 on, found -1",
    );
    check_refused(
        |it| transcription(it).batch_seconds = 0.0,
        "semantic_encoder.transcription.batch_seconds: expected a number above 0, found 0",
    );
    check_refused(
        |it| it.semantic_encoder.targets_from = "runs/first".into(),
        "semantic_encoder.targets_from: expected nothing beside semantic_encoder.transcription, \
         found runs/first",
    );
}

#[test]
fn recordings_without_transcripts_are_named() {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    std::fs::remove_file(data.path().join("manifest.csv")).unwrap();
    let error = run(Stage::SemanticEncoder, folder.path(), &plan(data.path())).unwrap_err();
    assert!(matches!(error, TrainError::NoTranscripts { split: "train" }), "{error}");
}

/// A plan whose recordings are spelt by this lexicon.
fn with_lexicon(data: &Path, lines: &str) -> Plan {
    let mut plan = plan(data);
    let lexicon = data.join("words.dict");
    std::fs::write(&lexicon, lines).unwrap();
    transcription(&mut plan).lexicon = lexicon;
    plan
}

#[test]
fn recordings_are_learnt_whose_words_a_lexicon_has() {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let plan = with_lexicon(data.path(), "ab AE1 B\n");
    assert_eq!(run(Stage::SemanticEncoder, folder.path(), &plan).unwrap(), Ending::Finished);

    let folder = tempfile::tempdir().unwrap();
    let plan = with_lexicon(data.path(), "abba AE1 B AH0\n");
    let error = run(Stage::SemanticEncoder, folder.path(), &plan).unwrap_err();
    assert!(matches!(error, TrainError::NoTranscripts { split: "train" }), "{error}");
}

#[test]
fn a_run_goes_on_with_its_lexicon_alone() {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let plan = with_lexicon(data.path(), "ab AE1 B\nba B AA1\n");
    let stop = StopSignal::default();
    let mut observer = StopAfterOne(stop.clone());
    let first = watched(Stage::SemanticEncoder, folder.path(), &plan, &mut observer, &stop);
    assert_eq!(first.unwrap(), Ending::Stopped { step: 1 });
    let plan = with_lexicon(data.path(), "ab EY1 B\nba B AA1\n");
    let error = run(Stage::SemanticEncoder, folder.path(), &plan).unwrap_err().to_string();
    assert!(error.contains("lineage.lexicon was"), "{error}");
}

#[test]
fn a_table_in_a_file_has_defaults_of_its_own() {
    let text = "[semantic_encoder.transcription.voices]\nspeed = 0.1";
    let plan = Plan::preset(Preset::Tiny).with_overrides(text, "plan.toml".as_ref()).unwrap();
    let mut expected = TranscriptionSettings::default();
    expected.voices.speed = 0.1;
    assert_eq!(plan.semantic_encoder.transcription, Some(expected));
    let plan = Plan::preset(Preset::Tiny).with_overrides("", "plan.toml".as_ref()).unwrap();
    assert_eq!(plan.semantic_encoder.transcription, None);
    assert!(!plan.to_toml().unwrap().contains("transcription"));
}
