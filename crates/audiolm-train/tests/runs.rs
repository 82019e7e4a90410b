//! What a run refuses, and how a plan is changed. That it resumes is tested where nothing else runs
//! in the same process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that unwraps fails where it should")]

use std::path::Path;

use audiolm_audio::Clip;
use audiolm_codec::{Channels, FilmSide, SoundStream};
use audiolm_semantic::SemanticTokenizerConfig;
use audiolm_train::{
    ConditionSettings, Ending, KmeansMethod, MeasuredOn, Measures, Observer, Plan, Preset, Run,
    Stage, StopSignal, Told, ToldStage, TrainError, Unobserved, read_metrics, train,
};
use audiolm_transformer::{Conditioning, PositionScheme};
use burn::prelude::Device;

/// A folder of tones whose pitch glides, one speaker a folder.
fn recordings(folder: &Path) {
    for speaker in 0..24 {
        let place = folder.join(format!("speaker-{speaker}"));
        std::fs::create_dir_all(&place).unwrap();
        let hertz = 120.0 + 15.0 * speaker as f32;
        let samples = (0..24_000).map(|it| {
            let time = it as f32 / 16_000.0;
            let glide = 1.0 + 0.2 * (3.0 * time).sin();
            0.3 * (std::f32::consts::TAU * hertz * glide * time).sin()
        });
        let clip = Clip { samples: samples.collect(), sample_rate_hz: 16_000 };
        clip.write_wav(place.join("tone.wav")).unwrap();
    }
}

fn plan(folder: &Path) -> Plan {
    let mut plan = Plan::preset(Preset::Smoke);
    plan.data.folder = folder.to_owned();
    plan
}

fn run(stage: Stage, folder: &Path, plan: &Plan) -> Result<Ending, TrainError> {
    train(
        stage,
        Run {
            folder,
            plan,
            device: &Device::default(),
            observer: &mut Unobserved,
            stop: &StopSignal::default(),
        },
    )
}

/// Stops the run once so many steps are done.
struct StopAfter {
    steps: u64,
    signal: StopSignal,
}

impl Observer for StopAfter {
    fn begin(&mut self, _: &str, _: u64, _: u64) {}
    fn advance(&mut self, done: u64, measures: &Measures) {
        if measures.get("loss").is_some() && done == self.steps {
            self.signal.stop();
        }
    }
    fn validated(&mut self, _: u64, _: &Measures) {}
    fn end(&mut self) {}
}

fn run_interrupted(stage: Stage, folder: &Path, plan: &Plan, steps: u64) {
    let signal = StopSignal::default();
    let ending = train(
        stage,
        Run {
            folder,
            plan,
            device: &Device::default(),
            observer: &mut StopAfter { steps, signal: signal.clone() },
            stop: &signal,
        },
    );
    assert_eq!(ending.unwrap(), Ending::Stopped { step: steps });
}

#[test]
fn a_stage_names_what_it_needs() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = run(Stage::Coarse, folder.path(), &plan(data.path())).unwrap_err().to_string();
    assert!(error.contains("train kmeans first"), "{error}");
}

#[test]
fn other_settings_are_refused_by_name() {
    let data = tempfile::tempdir().unwrap();
    recordings(data.path());
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(data.path());
    run_interrupted(Stage::Codec, folder.path(), &plan, 1);
    plan.codec.batch += 1;
    let error = run(Stage::Codec, folder.path(), &plan).unwrap_err().to_string();
    assert!(error.contains("codec.batch was 2, now 3"), "{error}");
}

#[track_caller]
fn check_override(text: &str, expected: Result<u64, &str>) {
    let found = Plan::preset(Preset::Tiny).with_overrides(text, Path::new("mine.toml"));
    match (found, expected) {
        (Ok(plan), Ok(steps)) => assert_eq!(plan.codec.schedule.steps, steps),
        (Err(error), Err(part)) => {
            let error = error.to_string();
            assert!(error.contains("mine.toml") && error.contains(part), "{error}");
        }
        (found, expected) => panic!("{found:?}, expected {expected:?}"),
    }
}

#[test]
fn a_file_changes_what_it_names_and_nothing_else() {
    check_override("[codec.schedule]\nsteps = 7", Ok(7));
    check_override("[codec.schedule]\nstepz = 7", Err("codec.schedule.stepz"));
    check_override("[codex]\nsteps = 7", Err("codex"));
    check_override("[codec]\nschedule = 7", Err("codec.schedule must be a table"));
    check_override("[codec]\nbatch = \"many\"", Err("codec.batch must be of type integer"));
    check_override("not toml", Err("mine.toml"));
}

#[test]
fn a_file_says_how_many_crops_go_without_semantic_ids() {
    let with = |text: &str| Plan::preset(Preset::Tiny).with_overrides(text, Path::new("mine.toml"));
    let plan = with("[coarse]\nsemantic_dropout = 0.1").unwrap();
    assert_eq!(plan.coarse.semantic_dropout, 0.1);
    let text = plan.to_toml().unwrap();
    assert_eq!(with(&text).unwrap(), plan);
    assert!(with("[coarse]\nsemantic_drop = 0.1").is_err());
}

#[test]
fn a_file_says_which_layers_are_run_again() {
    let with = |text: &str| Plan::preset(Preset::Tiny).with_overrides(text, Path::new("mine.toml"));
    let plan = with("[parallel]\ngradient_checkpointing = true").unwrap();
    assert!(plan.parallel.gradient_checkpointing && !plan.coarse.gradient_checkpointing);
    assert_eq!(with(&plan.to_toml().unwrap()).unwrap(), plan);
    let text = "[fine]\ngradient_checkpointing = false";
    let plan = Plan::preset(Preset::Paper).with_overrides(text, Path::new("mine.toml")).unwrap();
    assert!(plan.coarse.gradient_checkpointing && !plan.fine.gradient_checkpointing);
}

#[test]
fn a_file_turns_on_options_of_the_codec() {
    let text = "[codec.model]\nfilm = \"decoder\"\nattention = { n_layers = 2 }";
    let plan = Plan::preset(Preset::Tiny).with_overrides(text, Path::new("mine.toml")).unwrap();
    assert_eq!(plan.codec.model.film, Some(FilmSide::Decoder));
    assert_eq!(plan.codec.model.attention.as_ref().unwrap().n_layers, 2);
    let again = plan.to_toml().unwrap();
    let again = Plan::preset(Preset::Tiny).with_overrides(&again, Path::new("plan.toml"));
    assert_eq!(again.unwrap(), plan);
    check_override("[codec.model]\nfilms = \"decoder\"", Err("films"));
    check_override("[codec.model]\nfilm = \"middle\"", Err("middle"));
}

#[test]
fn a_file_says_what_stages_are_told() {
    let text = "[condition]\nof = \"caption\"\nstages = [\"semantic\", \"coarse\"]";
    let plan = Plan::preset(Preset::Tiny).with_overrides(text, Path::new("mine.toml")).unwrap();
    let expected = ConditionSettings {
        of: Told::Caption,
        stages: vec![ToldStage::Semantic, ToldStage::Coarse],
        ..Default::default()
    };
    assert_eq!(plan.condition, Some(expected));
    let again = plan.to_toml().unwrap();
    let again = Plan::preset(Preset::Tiny).with_overrides(&again, Path::new("plan.toml"));
    assert_eq!(again.unwrap(), plan);
    check_override("[condition]\nof = \"rumour\"", Err("rumour"));
    check_override("[condition]\nwith = \"t5\"", Err("condition.with"));
}

#[test]
fn nothing_to_tell_is_refused() {
    let data = tempfile::tempdir().unwrap();
    recordings(data.path());
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(data.path());
    for stage in [Stage::SemanticEncoder, Stage::Kmeans] {
        run(stage, folder.path(), &plan).unwrap();
    }
    plan.condition = Some(ConditionSettings::default());
    let error = run(Stage::Semantic, folder.path(), &plan).unwrap_err().to_string();
    assert!(error.contains("condition.of is transcript, but no training recording"), "{error}");
}

#[test]
fn a_file_turns_on_options_of_a_stack() {
    let text = "[coarse.model.decoder]\nposition = \"rotary\"\nn_kv_heads = 1\n\
                condition = { d_condition = 768, by = \"prefix\", dropout = 0.2 }";
    let plan = Plan::preset(Preset::Tiny).with_overrides(text, Path::new("mine.toml")).unwrap();
    let decoder = &plan.coarse.model.decoder;
    assert_eq!((decoder.position, decoder.n_kv_heads), (PositionScheme::Rotary, Some(1)));
    assert_eq!(decoder.condition.unwrap().by, Conditioning::Prefix);
    let again = plan.to_toml().unwrap();
    let again = Plan::preset(Preset::Tiny).with_overrides(&again, Path::new("plan.toml"));
    assert_eq!(again.unwrap(), plan);
    check_override("[fine.model.decoder]\npositions = \"rotary\"", Err("positions"));
    check_override("[fine.model.decoder]\nposition = \"absolute\"", Err("absolute"));
}

/// The recordings of [`recordings`], a set of noise among them.
fn recordings_and_noise(folder: &Path) {
    recordings(folder);
    let mut samples = 0_u32;
    let hiss = (0..24_000).map(|_| {
        samples = samples.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (samples >> 8) as f32 / (1 << 24) as f32 - 0.5
    });
    let hiss = Clip { samples: hiss.collect(), sample_rate_hz: 16_000 };
    hiss.write_wav(folder.join("hiss.wav")).unwrap();
    let tones = (0..24).map(|it| {
        let split = if it < 20 { "train" } else { "valid" };
        format!("speaker-{it}/tone.wav,tones,{split}\n")
    });
    let rows: String = tones.collect();
    let manifest = format!("path,set,split\n{rows}hiss.wav,noise,train\n");
    std::fs::write(folder.join("manifest.csv"), manifest).unwrap();
}

#[test]
fn a_codec_that_denoises_trains_on_mixtures_and_asks_for_noise() {
    let data = tempfile::tempdir().unwrap();
    recordings_and_noise(data.path());
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(data.path());
    plan.codec.model.film = Some(FilmSide::Encoder);
    let error = run(Stage::Codec, folder.path(), &plan).unwrap_err();
    assert!(matches!(error, TrainError::NoNoise), "{error}");
    plan.data.noise_sets = vec!["noise".to_owned()];
    assert_eq!(run(Stage::Codec, folder.path(), &plan).unwrap(), Ending::Finished);
    let codec =
        SoundStream::load_from(&folder.path().join("export/codec"), &Device::default()).unwrap();
    assert_eq!(codec.film(), Some(FilmSide::Encoder));
}

#[test]
fn a_stereo_codec_is_not_trained_on_mono_recordings() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(data.path());
    plan.codec.model.channels = Channels::Stereo;
    let error = run(Stage::Codec, folder.path(), &plan).unwrap_err().to_string();
    assert!(error.contains("expected a codec of 1, found 2"), "{error}");
}

#[test]
fn presets_survive_toml() {
    for preset in Preset::ALL {
        let plan = Plan::preset(preset);
        let text = plan.to_toml().unwrap();
        let again = Plan::preset(Preset::Tiny).with_overrides(&text, Path::new("plan.toml"));
        assert_eq!(again.unwrap(), plan, "{}", preset.name());
    }
}

#[track_caller]
fn check_pretraining_refused(plan: &Plan, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let error = run(Stage::SemanticEncoder, folder.path(), plan).unwrap_err().to_string();
    assert!(expected.iter().all(|it| error.contains(it)), "{error}");
}

#[test]
fn the_second_iteration_learns_from_the_first() {
    let [data, first, second] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let mut plan = plan(data.path());
    let ending = run(Stage::SemanticEncoder, first.path(), &plan).unwrap();
    assert_eq!(ending, Ending::Finished);

    plan.semantic_encoder.targets_from = first.path().to_owned();
    plan.semantic_encoder.targets_layer = 1;
    let ending = run(Stage::SemanticEncoder, second.path(), &plan).unwrap();
    assert_eq!(ending, Ending::Finished);

    // Other targets, other losses, from the very first step.
    let loss = |folder: &Path| {
        let lines = read_metrics(&folder.join("semantic-encoder/metrics.jsonl")).unwrap();
        lines[0].measures.get("prediction")
    };
    assert_ne!(loss(first.path()), loss(second.path()));

    plan.semantic_encoder.targets_layer = 99;
    let expected = ["semantic_encoder.targets_layer", "at most the", "99"];
    check_pretraining_refused(&plan, &expected);
    plan.semantic_encoder.targets_layer = 1;
    // A codec of as many samples to a frame, so that only the targets differ.
    plan.semantic_encoder.model.conv_layers[0].stride = 4;
    plan.codec.model.strides = vec![4; 4];
    plan.codec.crop_samples = 4096;
    check_pretraining_refused(&plan, &["semantic_encoder.targets_from", "320", "256"]);
}

#[test]
fn a_run_without_an_encoder_teaches_nothing() {
    let [data, empty] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let mut plan = plan(data.path());
    plan.semantic_encoder.targets_from = empty.path().to_owned();
    check_pretraining_refused(&plan, &["semantic-encoder"]);
}

/// A plan of three batches and two passes, and the exported encoder it needs.
fn streamed_kmeans(data: &Path, encoder: &Path) -> Plan {
    let mut plan = plan(data);
    assert_eq!(run(Stage::SemanticEncoder, encoder, &plan).unwrap(), Ending::Finished);
    plan.kmeans.method = KmeansMethod::MiniBatch;
    plan.kmeans.frames = 600;
    plan.kmeans.iterations = 2;
    plan
}

fn with_encoder(from: &Path, run: &Path) {
    const PART: &str = "export/semantic-encoder";
    std::fs::create_dir_all(run.join(PART)).unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(from.join(PART).join(file), run.join(PART).join(file)).unwrap();
    }
}

#[test]
fn clusters_of_an_interrupted_stream_are_those_of_a_whole_one() {
    let [data, encoder, whole, parted] = [(); 4].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let plan = streamed_kmeans(data.path(), encoder.path());
    for folder in [&whole, &parted] {
        with_encoder(encoder.path(), folder.path());
    }
    run_interrupted(Stage::Kmeans, parted.path(), &plan, 3);
    for folder in [&whole, &parted] {
        assert_eq!(run(Stage::Kmeans, folder.path(), &plan).unwrap(), Ending::Finished);
    }
    let tokenizer = |folder: &Path| {
        std::fs::read(folder.join("export/semantic-tokenizer/model.safetensors")).unwrap()
    };
    assert!(tokenizer(whole.path()) == tokenizer(parted.path()));

    let metrics = |folder: &Path| read_metrics(&folder.join("kmeans/metrics.jsonl")).unwrap();
    let lines = metrics(whole.path());
    assert_eq!(lines, metrics(parted.path()));
    let last = lines.iter().rfind(|it| it.on == MeasuredOn::Valid).unwrap();
    assert!(["inertia", "usage", "perplexity"].iter().all(|it| last.measures.get(it).is_some()));
}

#[test]
fn clusters_may_be_of_means_of_frames() {
    let [data, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    recordings(data.path());
    let mut plan = plan(data.path());
    run(Stage::SemanticEncoder, folder.path(), &plan).unwrap();
    for frames_per_id in [1, 2] {
        // Fitted anew where ids are of more frames.
        plan.kmeans.frames_per_id = frames_per_id;
        assert_eq!(run(Stage::Kmeans, folder.path(), &plan).unwrap(), Ending::Finished);
        let tokenizer = folder.path().join("export/semantic-tokenizer");
        let found = SemanticTokenizerConfig::load_from(&tokenizer).unwrap();
        assert_eq!(found.frames_per_id, frames_per_id);
    }
    // The language models take such tokens as they take others.
    assert_eq!(run(Stage::Semantic, folder.path(), &plan).unwrap(), Ending::Finished);
}
