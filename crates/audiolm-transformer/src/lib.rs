//! Transformers over audio tokens: the three language models of AudioLM (Borsos et al. 2022).
//!
//! - [`SemanticStage`]: what is said, p(z_t | z_<t);
//! - [`CoarseStage`]: how it sounds roughly, given what is said;
//! - [`FineStage`]: how it sounds in detail, given how it sounds roughly.
//!
//! Each has a configuration with presets, a loss for training, log-likelihoods for scoring and a
//! seeded `generate` with a key/value cache. All share one [`Decoder`].
//!
//! [`ParallelStage`], SoundStorm's (Borsos et al. 2023), draws coarse and fine codes together, many at
//! once: its positions see one another in both directions, in an [`Encoder`] of the same blocks.
//! [`CodeLayout`] and [`CodePattern`] are how codes lie in a row, and in which orders they can be predicted.
//!
//! The room deals in integers. It knows neither a codec nor a semantic model, reads no audio and
//! touches no file: weights are read and written by `audiolm-nn`.
//!
//! ```
//! use audiolm_nn::generator;
//! use audiolm_transformer::{
//!     CoarseBatch, CoarseRequest, CoarseRow, CoarseStageConfig, DecoderConfig, Guidance, Recall,
//!     Runs, Sampling, Stage,
//! };
//! use burn::prelude::*;
//!
//! // 10 semantic ids, 2 quantizers of 16 codes.
//! let config = CoarseStageConfig::new(DecoderConfig::new(16, 1, 2, 32), 10, 2, 16);
//! let stage = config.init(&Device::default())?;
//!
//! // Two frames of codes, [frame][quantizer], under two semantic tokens of one frame each.
//! let row = CoarseRow {
//!     semantic: vec![4, 9],
//!     semantic_frames: vec![0, 1],
//!     codes: vec![0, 15, 7, 3],
//!     condition: None,
//! };
//! let loss = stage.loss(&CoarseBatch { rows: vec![row] })?;
//! assert_eq!(loss.tokens, 4);
//!
//! // Five frames more, for three semantic tokens more.
//! let runs = Runs { ids: vec![4, 9, 4, 1, 2], durations: vec![1, 1, 1, 2, 2] };
//! let request = CoarseRequest {
//!     semantic: &runs.ids,
//!     semantic_frames: &runs.middles(1.0),
//!     prompt_codes: &[0, 15, 7, 3],
//!     n_frames: 5,
//!     sampling: Sampling::at(0.8),
//!     recall: Recall::NONE,
//!     recalled_frames: 0,
//!     condition: None,
//!     guidance: Guidance::NONE,
//! };
//! let codes = stage.generate(&request, generator(7, "coarse", 0))?;
//! assert_eq!(codes.len(), 5 * 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activations;
mod attention;
mod block;
mod clock;
mod coarse;
mod code_generation;
mod codes;
mod condition;
mod conditioner;
mod cross_attention;
mod decoder;
mod decoder_config;
#[cfg(test)]
mod decoder_laws;
mod dedup;
mod encoder;
mod error;
mod fine;
mod guidance;
mod heads;
mod kv_cache;
#[cfg(test)]
mod laws;
mod layout;
mod likelihood;
mod parallel;
mod pass;
mod pattern;
mod position;
mod ragged;
mod reading;
mod recall;
mod repetition;
mod rotary;
mod sampler;
mod semantic;
mod semantic_generate;
mod semantic_score;
mod semantic_sequence;
mod stage;

pub use activations::{Activations, Recomputation};
pub use coarse::{CoarseBatch, CoarseRequest, CoarseRow, CoarseStage, CoarseStageConfig};
pub use code_generation::{CodeGeneration, CodeGenerations};
pub use condition::{Condition, ConditionConfig, Conditioning, Conditions};
pub use decoder::Decoder;
pub use decoder_config::{DecoderConfig, FeedForward, PositionScheme};
pub use dedup::Runs;
pub use encoder::Encoder;
pub use error::{ConfigError, GenerateError, SamplingError, TokenError};
pub use fine::{FineBatch, FineRequest, FineRow, FineStage, FineStageConfig};
pub use guidance::Guidance;
pub use kv_cache::KvCache;
pub use layout::{CodeLayout, SplitCodes};
pub use likelihood::LogLikelihood;
pub use parallel::{
    Mask, ParallelBatch, ParallelRequest, ParallelRow, ParallelStage, ParallelStageConfig,
};
pub use pattern::CodePattern;
pub use recall::Recall;
pub use repetition::Repetition;
pub use sampler::{Sampling, sample, sample_after};
pub use semantic::{SemanticStage, SemanticStageConfig};
pub use semantic_generate::{
    Length, Run, SemanticGeneration, SemanticGenerations, SemanticPrompt, SemanticRequest,
};
pub use semantic_score::RunLikelihoods;
pub use semantic_sequence::{SemanticBatch, SemanticRow};
pub use stage::{Stage, StageLoss};
