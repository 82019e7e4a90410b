//! What eight bits cost: the likelihood that the stages of a bundle give to recordings, with the weights of
//! each kind.
//!
//! ```text
//! cargo run --release --example narrow_weights -- models/speech-tiny recordings/*.flac
//! ```

#![allow(clippy::print_stdout, reason = "it reports")]

use std::error::Error;
use std::path::{Path, PathBuf};

use audiolm::nn::load_weights;
use audiolm::transformer::{
    CoarseBatch, CoarseRow, CoarseStageConfig, CodeLayout, FineBatch, FineRow, FineStageConfig,
    Runs, SemanticBatch, SemanticRow, SemanticStageConfig, Stage,
};
use audiolm::{AudioLm, Clip, Device, Tokens, Weights};
use burn::config::Config;
use burn::module::Module;

/// Of each recording, from its start.
const SECONDS: usize = 4;
/// Frames that the fine stage sees at once.
const FINE_FRAMES: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let bundle = arguments.next().ok_or("expected a bundle")?;
    let device = audiolm::device(None)?;
    let lm = AudioLm::load(&bundle, &device)?;
    let tokens: Vec<Tokens> =
        arguments.map(|it| tokens(&lm, &it)).collect::<Result<_, Box<dyn Error>>>()?;
    println!("{} recordings", tokens.len());
    for weights in Weights::ALL {
        let at = |part: &str| bundle.join(part);
        let semantic = stage(&at("semantic"), &device, SemanticStageConfig::init)?;
        let semantic = mean(&semantic.with_weights(weights), tokens.iter().map(semantic_batch))?;
        let coarse = stage(&at("coarse"), &device, CoarseStageConfig::init)?;
        let width = coarse.layout().n_quantizers();
        let batches = tokens.iter().map(|it| coarse_batch(it, width));
        let coarse = mean(&coarse.with_weights(weights), batches)?;
        let fine = stage(&at("fine"), &device, FineStageConfig::init)?;
        let layout = fine.layout();
        let fine =
            mean(&fine.with_weights(weights), tokens.iter().map(|it| fine_batch(it, layout)))?;
        println!(
            "{}: semantic {semantic:.4}, coarse {coarse:.4}, fine {fine:.4} nats a token",
            weights.name()
        );
    }
    Ok(())
}

fn tokens(lm: &AudioLm, path: &Path) -> Result<Tokens, Box<dyn Error>> {
    let mut clip = Clip::read(path)?;
    clip.samples.truncate(SECONDS * clip.sample_rate_hz as usize);
    Ok(lm.tokenize(&clip)?)
}

fn stage<C: Config, M: Module, E: Error + 'static>(
    folder: &Path,
    device: &Device,
    init: fn(&C, &Device) -> Result<M, E>,
) -> Result<M, Box<dyn Error>> {
    let config = C::load(folder.join("config.json"))?;
    Ok(load_weights(init(&config, device)?, &folder.join("model.safetensors"))?)
}

/// The mean negative log-likelihood of a token.
fn mean<S: Stage>(
    stage: &S,
    batches: impl Iterator<Item = S::Batch>,
) -> Result<f64, Box<dyn Error>> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(stage.log_likelihoods(&batch)?.concat());
    }
    Ok(-all.iter().map(|it| f64::from(*it)).sum::<f64>() / all.len() as f64)
}

fn semantic_batch(tokens: &Tokens) -> SemanticBatch {
    let (ids, durations) = (tokens.semantic_ids.clone(), tokens.durations.clone());
    let row = SemanticRow { ids, durations, starts: true, ..Default::default() };
    SemanticBatch { rows: vec![row] }
}

fn coarse_batch(tokens: &Tokens, width: usize) -> CoarseBatch {
    let runs = Runs { ids: tokens.semantic_ids.clone(), durations: tokens.durations.clone() };
    let row = CoarseRow {
        semantic_frames: runs.middles(1.0),
        semantic: runs.ids,
        codes: row_major(&tokens.codes[..width]),
        ..Default::default()
    };
    CoarseBatch { rows: vec![row] }
}

fn fine_batch(tokens: &Tokens, layout: CodeLayout) -> FineBatch {
    let width = layout.n_quantizers();
    let codes = row_major(&tokens.codes[..width]);
    let row = |codes: &[u32]| FineRow { codes: codes.to_vec(), ..Default::default() };
    FineBatch { rows: codes.chunks(FINE_FRAMES * width).map(row).collect() }
}

/// `[frame][quantizer]`
fn row_major(codes: &[Vec<u32>]) -> Vec<u32> {
    (0..codes[0].len()).flat_map(|frame| codes.iter().map(move |it| it[frame])).collect()
}
