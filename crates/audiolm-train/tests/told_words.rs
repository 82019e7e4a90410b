//! A semantic stage that is told what to say says that: it is trained by transcripts, told words,
//! and what comes is heard by a classifier of recordings. Where the recordings of spoken digits are at
//! hand, the words are those; elsewhere, patterns of tones that have names.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::collections::BTreeMap;
use std::f32::consts::TAU;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use audiolm_audio::Clip;
use audiolm_data::{Corpus, CorpusOptions, TokenStore};
use audiolm_eval::Bigram;
use audiolm_nn::{generator, load_weights};
use audiolm_text::{Characters, Conditioner, Description};
use audiolm_train::{
    ConditionSettings, Ending, Plan, Preset, Run, Schedule, Stage, StopSignal, Unobserved, train,
};
use audiolm_transformer::{
    Condition, Guidance, Length, Runs, Sampling, SemanticPrompt, SemanticRequest, SemanticStage,
    SemanticStageConfig,
};
use burn::config::Config;
use burn::prelude::Device;

/// How often each word is asked for.
const N_ASKED: u64 = 40;
/// Longer than any of the words, in frames.
const LONGEST: usize = 100;
/// The share of what was asked for that is heard as that. By chance it would be the share of one word
/// among all: a tenth of the digits, half of the patterns.
const LEAST_HEARD: f64 = 0.6;
/// The same of recordings that the classifier does not know, of voices that it does.
const LEAST_HEARD_OF_RECORDINGS: f64 = 0.65;

/// Recordings of words, two of the words, and the steps in which they are learnt.
struct Words {
    folder: PathBuf,
    sets: Vec<String>,
    asked: [&'static str; 2],
    steps: u64,
}

/// The ids of one recording after another, by the word that is said in it.
type Spoken = BTreeMap<String, Vec<Vec<u32>>>;

/// Hears which word ids are of: the one whose bigrams they follow best.
struct Listener(Vec<(String, Bigram)>);

impl Listener {
    fn new(spoken: &Spoken, n_ids: usize) -> Self {
        let fitted = |(word, ids): (&String, &Vec<Vec<u32>>)| {
            (word.clone(), Bigram::fit(ids, &[n_ids]).unwrap())
        };
        Self(spoken.iter().map(fitted).collect())
    }

    fn hears(&self, ids: &[u32]) -> &str {
        let nats = |bigram: &Bigram| bigram.evaluate(&[ids]).unwrap().nats_per_token;
        let best = self.0.iter().min_by(|a, b| nats(&a.1).total_cmp(&nats(&b.1)));
        &best.unwrap().0
    }

    /// The share of what was said that it hears as that.
    fn heard(&self, spoken: &Spoken) -> f64 {
        let said = || spoken.iter().flat_map(|(word, ids)| ids.iter().map(move |it| (word, it)));
        let right = said().filter(|(word, ids)| self.hears(ids) == *word).count();
        right as f64 / said().count() as f64
    }
}

/// Spoken digits where they are at hand, else patterns written to `place`.
fn words(place: &Path) -> Words {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("AUDIOLM_DATA").map_or_else(beside, PathBuf::from);
    if folder.join("digits").is_dir() && folder.join("manifest.csv").is_file() {
        let asked = ["seven", "two"];
        return Words { folder, sets: vec!["digits".into()], asked, steps: 300 };
    }
    write_patterns(place);
    let asked = ["low high", "high low"];
    Words { folder: place.into(), sets: Vec::new(), asked, steps: 150 }
}

/// Two words of two tones each, 24 takes of each, of which 4 are held out.
fn write_patterns(folder: &Path) {
    let mut manifest = "path,split,transcript\n".to_owned();
    for take in 0..24u32 {
        for (word, hertz) in [("low high", [220.0, 1800.0]), ("high low", [1800.0, 220.0])] {
            let path = format!("{}-{take}.wav", word.replace(' ', "-"));
            let split = if take < 20 { "train" } else { "valid" };
            let tuning = 1.0 + 0.01 * (take % 7) as f32;
            let length = 3_200 + 160 * (take % 5) as usize;
            let tone = |hertz: f32| {
                (0..length).map(move |n| {
                    let time = n as f32 / 16_000.0;
                    0.3 * (TAU * hertz * tuning * time).sin()
                })
            };
            let samples = hertz.into_iter().flat_map(tone).collect();
            Clip { samples, sample_rate_hz: 16_000 }.write_wav(folder.join(&path)).unwrap();
            writeln!(manifest, "{path},{split},{word}").unwrap();
        }
    }
    std::fs::write(folder.join("manifest.csv"), manifest).unwrap();
}

fn plan(words: &Words) -> Plan {
    let mut plan = Plan::preset(Preset::Tiny);
    plan.tokenizers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/speech-tiny");
    plan.data.folder = words.folder.clone();
    plan.data.sets = words.sets.clone();
    plan.condition = Some(ConditionSettings::default());
    plan.semantic.batch = 16;
    plan.semantic.schedule =
        Schedule { steps: words.steps, warmup_steps: 20, ..plan.semantic.schedule };
    plan.semantic.cadence.validate_every = 1000;
    plan
}

/// The ids of the recordings that a run has learnt from, by their transcripts: two of every four, and
/// the rest.
fn spoken(run: &Path, words: &Words) -> [Spoken; 2] {
    let options = CorpusOptions { sets: words.sets.clone(), ..Default::default() };
    let corpus = Corpus::open(&words.folder, &options).unwrap();
    let word = |key: &str| {
        let recording = corpus.recordings().iter().find(|it| it.key == key).unwrap();
        recording.transcript.clone().unwrap()
    };
    let store = TokenStore::load(run.join("tokens/semantic-train.safetensors")).unwrap();
    let mut spoken = [Spoken::new(), Spoken::new()];
    for recording in 0..store.len() {
        let frames: Vec<u32> = store.tokens(recording).iter().map(|it| u32::from(*it)).collect();
        let ids = Runs::of(&frames).ids;
        spoken[recording / 2 % 2].entry(word(store.key(recording))).or_default().push(ids);
    }
    spoken
}

fn trained(run: &Path) -> (SemanticStage, SemanticStageConfig) {
    let folder = run.join("export/semantic");
    let config = SemanticStageConfig::load(folder.join("config.json")).unwrap();
    let stage = config.init(&Device::default()).unwrap();
    (load_weights(stage, &folder.join("model.safetensors")).unwrap(), config)
}

/// What the stage says when it is told a word.
fn said(stage: &SemanticStage, word: &str) -> Vec<Vec<u32>> {
    let vectors = Characters.vectors(&Description::Text(word)).unwrap();
    let condition = Some(Condition::new(vectors, Characters.width()).unwrap());
    let prompt = SemanticPrompt { starts: true, condition, ..Default::default() };
    let request = SemanticRequest {
        length: Length::AtMost(LONGEST),
        ids: Sampling::at(0.8),
        durations: Sampling::at(1.0),
        guidance: Guidance::NONE,
    };
    let draw = |seed| stage.generate(&prompt, &request, generator(seed, "words", 0)).unwrap().ids;
    (0..N_ASKED).map(draw).filter(|it| it.len() > 1).collect()
}

#[test]
fn a_stage_says_what_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let words = words(folder.path());
    let (plan, run) = (plan(&words), folder.path().join("run"));
    let (device, stop) = (&Device::default(), &StopSignal::default());
    let began = Run { folder: &run, plan: &plan, device, observer: &mut Unobserved, stop };
    assert_eq!(train(Stage::Semantic, began).unwrap(), Ending::Finished);

    let (stage, config) = trained(&run);
    let [known, others] = spoken(&run, &words);
    let listener = Listener::new(&known, config.n_ids);
    let of_recordings = listener.heard(&others);
    assert!(of_recordings >= LEAST_HEARD_OF_RECORDINGS, "{of_recordings} of recordings");

    let asked = words.asked.map(|word| (word.to_owned(), said(&stage, word)));
    let asked = Spoken::from(asked);
    let n_said: usize = asked.values().map(Vec::len).sum();
    assert!(n_said as f64 >= 0.9 * 2.0 * N_ASKED as f64, "{n_said} times more than a sound");
    let heard = listener.heard(&asked);
    let beside = format!("{heard:.3} of what was asked for, {of_recordings:.3} of recordings");
    assert!(heard >= LEAST_HEARD, "{beside}");
}
