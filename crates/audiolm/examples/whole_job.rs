//! How long it takes to continue 3 seconds by 4 with models of the sizes in audiolm-pytorch's README,
//! and how much memory: HuBERT base up to layer 9, a codec of 8 quantizers, a semantic stage of 1024 × 6,
//! a coarse and a fine one of 512 × 6, 3 + 5 quantizers. All weights are random.
//!
//! ```text
//! cargo run --release --example whole_job -- make random-bundle
//! cargo run --release --example whole_job -- continue random-bundle float32
//! ```

#![allow(clippy::print_stdout, reason = "it reports")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use audiolm::codec::{LocalAttentionConfig, QuantizerConfig, SoundStreamConfig};
use audiolm::nn::{Precision, generator, save_weights};
use audiolm::pipeline::testing::write_lineage;
use audiolm::pipeline::{AssembleOptions, Part, WindowFrames, assemble};
use audiolm::semantic::{Clustering, SemanticTokenizer, presets};
use audiolm::transformer::{CoarseStageConfig, FineStageConfig, SemanticStageConfig};
use audiolm::{AudioLm, Clip, ContinueOptions, Device, Weights};
use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Distribution, Tensor};

/// The layer that is clustered.
const LAYER: usize = 9;
const N_IDS: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    audiolm_flex::work_on_this_thread();
    let device = audiolm::device(Some("flex".parse()?))?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder] => make_bundle(Path::new(folder), &device),
        ["continue", folder, weights] => {
            let weights = Weights::from_name(weights).ok_or("expected float32 or int8")?;
            continue_prompt(Path::new(folder), weights, &device)
        }
        _ => Err("expected: make DIR, or: continue DIR float32".into()),
    }
}

fn continue_prompt(bundle: &Path, weights: Weights, device: &Device) -> Result<(), Box<dyn Error>> {
    let prompt = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/speech-tiny/prompt.wav");
    let prompt = Clip::read(prompt)?;
    let began = Instant::now();
    let told = |what: &str| println!("{:.2} s: {what}", began.elapsed().as_secs_f64());
    let lm = AudioLm::load(bundle, device)?.with_weights(weights);
    told("loaded");
    let mut stage = None;
    let continued = lm.continue_from_with(&prompt, &ContinueOptions::default(), &mut |it| {
        if stage.replace(it.stage) != Some(it.stage) {
            told(it.stage.folder());
        }
    })?;
    told(&format!("{:.2} s of sound; peak memory {}", continued.clip.seconds(), peak()));
    Ok(())
}

/// What the system says was resident at most.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    line.unwrap_or(" unknown").trim().to_owned()
}

fn make_bundle(out: &Path, device: &Device) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let export = folder.path();
    let at = |part: Part| {
        let folder = export.join(part.folder());
        std::fs::create_dir_all(&folder).map(|()| folder)
    };
    tokenizer(device)?.save(&at(Part::SemanticTokenizer)?, Precision::Full)?;
    let config = SoundStreamConfig {
        quantizer: QuantizerConfig::residual(8, 1024),
        attention: Some(LocalAttentionConfig { n_layers: 2, ..Default::default() }),
        ..SoundStreamConfig::audiolm_16khz()
    };
    config.init(device)?.save_to(&at(Part::Codec)?, &config, Precision::Full)?;
    // Every id lasts one frame, so that as many are drawn as there are frames.
    let config = SemanticStageConfig::audiolm_pytorch().with_max_duration(1);
    save(&config.init(device)?, &config, &at(Part::Semantic)?)?;
    let config = CoarseStageConfig::audiolm_pytorch();
    save(&config.init(device)?, &config, &at(Part::Coarse)?)?;
    let config = FineStageConfig::audiolm_pytorch();
    save(&config.init(device)?, &config, &at(Part::Fine)?)?;
    write_lineage(export)?;
    let options = AssembleOptions {
        name: "random".to_owned(),
        precision: Precision::Full,
        window_frames: WindowFrames { semantic: 1500, coarse: 500, fine: 150, parallel: None },
        prompt: None,
    };
    assemble(export, out, &options, device)?;
    Ok(())
}

fn save<M: Module>(stage: &M, config: &impl Config, folder: &Path) -> Result<(), Box<dyn Error>> {
    config.save(folder.join("config.json"))?;
    Ok(save_weights(stage, &folder.join("model.safetensors"), Precision::Full)?)
}

/// Clusters of what noise makes of it, so that ids differ.
fn tokenizer(device: &Device) -> Result<SemanticTokenizer, Box<dyn Error>> {
    let config = presets::base();
    let encoder = config.init(device)?;
    let noise = Tensor::random([8, 32_000], Distribution::Normal(0.0, 0.1), device);
    let features = encoder.features(noise, LAYER).flatten(0, 1);
    let clusters = Clustering::fit(features, N_IDS, 3, &mut generator(0, "clusters", 0));
    Ok(SemanticTokenizer::new(config, encoder, LAYER, clusters)?)
}
