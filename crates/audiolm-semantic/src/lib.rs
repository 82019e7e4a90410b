//! Semantic tokens of audio: what is said, without who says it and how it sounds.
//!
//! An [`Encoder`] turns a wave into 50 feature vectors a second: a [`Hubert`], which is the body of
//! wav2vec 2.0, WavLM and MERT too, or the [`Conformer`] of w2v-BERT, trained here or read as
//! published ([`Encoder::load_from`]). A [`Clustering`] of one of its layers turns these into ids,
//! and a [`SemanticTokenizer`] holds both and removes repeats while it keeps their durations. A
//! [`TokenStream`] does so while the wave is still coming.
//! [`HubertPretraining`] is the loss that trains an encoder from nothing: [`Mfcc`]s are clustered,
//! and the encoder learns to guess the clusters of frames that a [`SpanMasking`] hides (Hsu et al.
//! 2021, arXiv 2106.07447). [`W2vBertPretraining`] is that of a conformer, which makes its own codes
//! while it learns to tell and to guess them (Chung et al. 2021, arXiv 2108.06209).
//!
//! The room takes tensors, never clips of audio: mono waves, most at 16 kHz, `[batch, samples]`, and
//! where lengths differ [`Clips`]. It knows neither codecs nor language models.
//!
//! ```
//! use audiolm_nn::generator;
//! use audiolm_semantic::{Clustering, SemanticTokenizer, presets};
//! use burn::prelude::*;
//!
//! let device = Device::default();
//! let config = presets::tiny();
//! let encoder = config.init(&device)?;
//! let wave = Tensor::<2>::random([1, 16_000], burn::tensor::Distribution::Default, &device);
//!
//! // A real tokenizer is fitted to many clips, and to a trained encoder.
//! let layer = 3;
//! let features = encoder.features(wave.clone(), layer);
//! let points = features.flatten(0, 1);
//! let clustering = Clustering::fit(points, 8, 10, &mut generator(0, "k-means", 0));
//!
//! let tokenizer = SemanticTokenizer::new(&config, encoder, layer, clustering)?;
//! let tokens = tokenizer.tokenize(wave);
//! assert_eq!(tokens[0].n_frames(), 50);
//! assert_eq!(tokens[0].ids().len(), tokens[0].durations().len());
//! # Ok::<(), audiolm_semantic::SemanticError>(())
//! ```

mod attention;
mod clip_front_end;
mod clips;
mod clustering;
mod config;
mod conformer;
mod conv_norm;
mod encoder;
mod error;
mod fairseq;
mod feature_projection;
mod folder;
mod frames;
mod front_end;
mod hubert;
mod linear;
mod mask;
mod mfcc;
#[cfg(test)]
mod parity;
mod position_bias;
mod positional_conv;
mod prediction_head;
pub mod presets;
mod pretraining;
mod published;
mod published_clustering;
mod shared_ids;
mod streamed_clustering;
mod strided_conv;
mod tapped;
mod tapped_layers;
mod token_stream;
mod tokenizer;
mod tokens;
mod transcription;
mod transformer;
mod transformer_layer;
mod w2v_bert;
mod window_moments;
mod windows;

pub use clips::Clips;
pub use config::{
    ConvLayerConfig, FrontEndNorm, HubertConfig, NormPlacement, PositionBias, WaveScale,
};
pub use conformer::{Conformer, ConformerConfig, ConvPadding, MelNormalisation};
pub use encoder::{Encoder, EncoderConfig};
pub use fairseq::{FairseqCheckpoint, transformers_name};
pub use frames::FrameGeometry;
pub use hubert::Hubert;
pub use published::{PublishedEncoder, PublishedFile, TransformersConfig, load_transformers};

pub use mask::SpanMasking;
pub use mfcc::{Mfcc, MfccConfig};
pub use pretraining::{
    HubertPretraining, HubertPretrainingConfig, PretrainingBatch, PretrainingOutput,
};

pub use w2v_bert::{
    GumbelQuantizerConfig, GumbelTemperature, W2vBertBatch, W2vBertOutput, W2vBertPretraining,
    W2vBertPretrainingConfig,
};

pub use transcription::{
    Alphabet, Lexicon, MelMasking, Spelling, SpellingErrors, TranscriptionBatch,
    TranscriptionConfig, TranscriptionOutput, TranscriptionTraining, frames_to_spell,
};

pub use clustering::{Clustering, ClusteringConfig};
pub use shared_ids::means_of_frames;
pub use streamed_clustering::StreamedClustering;
pub use tapped_layers::TappedLayers;
pub use token_stream::TokenStream;
pub use tokenizer::{SemanticTokenizer, SemanticTokenizerConfig};
pub use tokens::SemanticTokens;
pub use windows::WindowConfig;

pub use error::{HubertError, SemanticError};
