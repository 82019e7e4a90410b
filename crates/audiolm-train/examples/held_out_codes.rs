//! How well held-out codes are predicted, level by level: by frequencies, by the coarse and the fine
//! stage, and by the parallel one.
//!
//! ```sh
//! cargo run --release -p audiolm-train --example held_out_codes -- RUN STAGES
//! ```
//!
//! RUN is a folder in which a parallel stage was trained; its tokens of the `valid` split are
//! measured. STAGES holds the folders `coarse` and `fine` of stages of the same tokenizers. Nats are
//! not likelihoods of the same thing: what the parallel stage sees of later frames, the others do not.

#![allow(clippy::unwrap_used, reason = "a measurement that unwraps fails where it should")]
#![allow(clippy::print_stdout, reason = "it reports")]

use std::ops::Range;
use std::path::{Path, PathBuf};

use audiolm_data::TokenStore;
use audiolm_eval::{Bigram, Unigram};
use audiolm_nn::{generator, load_weights};
use audiolm_train::{Plan, Preset};
use audiolm_transformer::{
    CoarseBatch, CoarseRow, CoarseStageConfig, FineBatch, FineRow, FineStageConfig, Mask,
    ParallelBatch, ParallelRow, ParallelStage, ParallelStageConfig, Runs, Stage,
};
use burn::config::Config;
use burn::prelude::*;

/// Crops that go through a stage together.
const BATCH: usize = 8;

/// The frames of one crop.
#[derive(Clone)]
struct Clip {
    semantic: Vec<u32>,
    /// Row-major.
    codes: Vec<u32>,
}

/// The tokens of one split.
struct Tokens {
    semantic: TokenStore,
    codes: TokenStore,
    n_levels: usize,
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let (run, stages) = (arguments.next().unwrap(), arguments.next().unwrap());
    let text = std::fs::read_to_string(run.join("plan.toml")).unwrap();
    let plan = Plan::preset(Preset::Tiny).with_overrides(&text, &run).unwrap();
    let parallel = Trained::of(&run.join("export/parallel"));
    let n_levels = parallel.stage.layout().n_quantizers();
    let [train, valid] = ["train", "valid"].map(|split| Tokens::of(&run, split, n_levels));

    let crop = |seconds: f64| valid.crops((seconds * valid.codes.frames_per_second()) as usize);
    let clips = crop(plan.parallel.crop_seconds);
    let [unigram, bigram] = counted(&train, &clips, parallel.stage.layout().codebook_size());
    let autoregressive =
        autoregressive(&stages, &crop(plan.coarse.crop_seconds), &crop(plan.fine.crop_seconds));
    println!("| Level | Unigram | Bigram | Coarse, fine | Parallel: all hidden | as in training |");
    println!("|---|---|---|---|---|---|");
    let mut sums = [0.0; 5];
    for level in 0..n_levels {
        let hidden = parallel.nats(&clips, level, &|n, _| Mask::of_level(level, 0..n));
        let drawn = parallel.nats(&clips, level, &|n, rng| loop {
            let mask = Mask::draw(parallel.stage.layout(), n, rng);
            if mask.level() == level {
                return mask;
            }
        });
        let row = [unigram[level], bigram[level], autoregressive[level], hidden, drawn];
        print_row(&(level + 1).to_string(), &row);
        sums.iter_mut().zip(row).for_each(|(sum, it)| *sum += it / n_levels as f64);
    }
    print_row("mean", &sums);
}

fn print_row(name: &str, nats: &[f64]) {
    let cells: Vec<String> = nats.iter().map(|it| format!("{it:.3}")).collect();
    println!("| {name} | {} |", cells.join(" | "));
}

/// Nats of each level under counts of the train split.
fn counted(train: &Tokens, held_out: &[Clip], codebook_size: usize) -> [Vec<f64>; 2] {
    let sequences = |clips: &[Clip]| clips.iter().map(|it| it.codes.clone()).collect::<Vec<_>>();
    let (train_clips, held_out) = (sequences(&train.crops(usize::MAX)), sequences(held_out));
    let sizes = vec![codebook_size; train.n_levels];
    let unigram = Unigram::fit(&train_clips, &sizes).unwrap().evaluate(&held_out).unwrap();
    let bigram = Bigram::fit(&train_clips, &sizes).unwrap().evaluate(&held_out).unwrap();
    [unigram.nats_per_class, bigram.nats_per_class]
}

/// Nats of each level under the two stages that draw one code after another.
fn autoregressive(stages: &Path, coarse_clips: &[Clip], fine_clips: &[Clip]) -> Vec<f64> {
    let device = Device::default();
    let config = CoarseStageConfig::load(stages.join("coarse/config.json")).unwrap();
    let weights = |name: &str| stages.join(name).join("model.safetensors");
    let coarse = load_weights(config.init(&device).unwrap(), &weights("coarse")).unwrap();
    let fine_config = FineStageConfig::load(stages.join("fine/config.json")).unwrap();
    let fine = load_weights(fine_config.init(&device).unwrap(), &weights("fine")).unwrap();
    let (n_coarse, n_levels) = (fine_config.n_coarse, fine_config.n_quantizers);

    let coarse_row = |clip: &Clip| {
        let runs = Runs::of(&clip.semantic);
        let leading = |frame: &[u32]| frame[..n_coarse].to_vec();
        CoarseRow {
            semantic_frames: runs.middles(1.0),
            semantic: runs.ids,
            codes: clip.codes.chunks_exact(n_levels).flat_map(leading).collect(),
            condition: None,
        }
    };
    let mut nats = Levels::new(n_levels);
    for clips in coarse_clips.chunks(BATCH) {
        let batch = CoarseBatch { rows: clips.iter().map(coarse_row).collect() };
        nats.add(0..n_coarse, &coarse.log_likelihoods(&batch).unwrap());
    }
    for clips in fine_clips.chunks(BATCH) {
        let row = |clip: &Clip| FineRow { codes: clip.codes.clone(), condition: None };
        let batch = FineBatch { rows: clips.iter().map(row).collect() };
        nats.add(n_coarse..n_levels, &fine.log_likelihoods(&batch).unwrap());
    }
    nats.means()
}

/// Sums of nats by level.
struct Levels {
    sums: Vec<f64>,
    counts: Vec<usize>,
}

impl Levels {
    fn new(n_levels: usize) -> Self {
        Self { sums: vec![0.0; n_levels], counts: vec![0; n_levels] }
    }

    /// Row-major log-likelihoods of some levels.
    fn add(&mut self, levels: Range<usize>, rows: &[Vec<f32>]) {
        for row in rows {
            for (at, log_likelihood) in row.iter().enumerate() {
                let level = levels.start + at % levels.len();
                self.sums[level] -= f64::from(*log_likelihood);
                self.counts[level] += 1;
            }
        }
    }

    fn means(&self) -> Vec<f64> {
        self.sums.iter().zip(&self.counts).map(|(sum, n)| sum / *n as f64).collect()
    }
}

/// A parallel stage with its weights.
struct Trained {
    stage: ParallelStage,
}

impl Trained {
    fn of(folder: &Path) -> Self {
        let config = ParallelStageConfig::load(folder.join("config.json")).unwrap();
        let stage = config.init(&Device::default()).unwrap();
        Self { stage: load_weights(stage, &folder.join("model.safetensors")).unwrap() }
    }

    /// The mean of the hidden codes of a level, hidden as `mask` says.
    fn nats(
        &self,
        clips: &[Clip],
        level: usize,
        mask: &dyn Fn(usize, &mut audiolm_nn::Generator) -> Mask,
    ) -> f64 {
        let mut rng = generator(0, "held-out codes", level as u64);
        let mut row = |clip: &Clip| {
            let Clip { semantic, codes } = clip.clone();
            let mask = mask(semantic.len(), &mut rng);
            ParallelRow { semantic, codes, mask }
        };
        let mut nats = Levels::new(1);
        for clips in clips.chunks(BATCH) {
            let batch = ParallelBatch { rows: clips.iter().map(&mut row).collect() };
            // A batch of which nothing is hidden says nothing.
            if let Ok(rows) = self.stage.log_likelihoods(&batch) {
                nats.add(0..1, &rows);
            }
        }
        nats.means()[0]
    }
}

impl Tokens {
    fn of(run: &Path, split: &str, n_levels: usize) -> Self {
        let store = |kind: &str| {
            TokenStore::load(run.join(format!("tokens/{kind}-{split}.safetensors"))).unwrap()
        };
        Self { semantic: store("semantic"), codes: store("codes"), n_levels }
    }

    /// All frames in crops of at most so many.
    fn crops(&self, n_frames: usize) -> Vec<Clip> {
        (0..self.codes.len()).flat_map(|it| self.crops_of(it, n_frames)).collect()
    }

    fn crops_of(&self, recording: usize, n_frames: usize) -> Vec<Clip> {
        let as_ids = |it: &[u16]| it.iter().map(|id| u32::from(*id)).collect::<Vec<u32>>();
        let semantic = as_ids(self.semantic.tokens(recording));
        let frames = self.codes.tokens(recording).chunks_exact(self.codes.width());
        let codes: Vec<u32> = frames.flat_map(|it| as_ids(&it[..self.n_levels])).collect();
        let n = n_frames.min(self.codes.frames(recording)).max(1);
        let clips = semantic.chunks(n).zip(codes.chunks(n * self.n_levels));
        let clip = |(semantic, codes): (&[u32], &[u32])| {
            let n = semantic.len().min(codes.len() / self.n_levels);
            Clip { semantic: semantic[..n].to_vec(), codes: codes[..n * self.n_levels].to_vec() }
        };
        clips.map(clip).collect()
    }
}
