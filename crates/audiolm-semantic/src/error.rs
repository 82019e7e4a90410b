//! What can go wrong in this room, named.

use std::path::PathBuf;

use audiolm_nn::WeightsError;
use audiolm_pickle::PickleError;

/// Why a [`HubertConfig`](crate::HubertConfig) or a [`ConformerConfig`](crate::ConformerConfig)
/// describes no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HubertError {
    /// The front end has no convolution.
    #[error("the front end needs at least one convolution")]
    NoConvolution,
    /// A size that must be at least 1 is 0.
    #[error("{name} must be at least 1")]
    ZeroSize {
        /// The field.
        name: &'static str,
    },
    /// A stride wider than its kernel.
    #[error("convolution {layer} has kernel {kernel_size}: stride {stride} would skip samples")]
    StrideSkipsSamples {
        /// Index of the convolution.
        layer: usize,
        /// Taps of its kernel.
        kernel_size: usize,
        /// Its stride.
        stride: usize,
    },
    /// `d_model` cannot be shared out evenly.
    #[error("d_model is {d_model}, which does not divide by {name} = {parts}")]
    DoesNotDivide {
        /// The width.
        d_model: usize,
        /// The field that should divide it.
        name: &'static str,
        /// Its value.
        parts: usize,
    },
    /// Kinds of distances that cannot be told apart.
    #[error(
        "{n_buckets} buckets up to a distance of {max_distance}: expected a multiple of four, and a distance beyond a quarter of them"
    )]
    Buckets {
        /// Kinds of distances.
        n_buckets: usize,
        /// Where they end.
        max_distance: usize,
    },
    /// A dropout outside of `[0, 1)`.
    #[error("dropout must lie in [0, 1), found {found}")]
    Dropout {
        /// The value given.
        found: f64,
    },
    /// Mel filters that reach no higher than the lowest frequency, or beyond half the sample rate.
    #[error("highest_hz must lie above {lowest} and be no more than {nyquist}, found {found}")]
    HighestHz {
        /// The lowest frequency that is heard.
        lowest: f64,
        /// Half the sample rate.
        nyquist: f64,
        /// The value given.
        found: f64,
    },
    /// Fewer entries than codes need to differ.
    #[error("a codebook needs at least 2 entries, found {found}")]
    TooFewEntries {
        /// The value given.
        found: usize,
    },
    /// Layers that are not shared between two modules.
    #[error(
        "the contrastive module has {found} of the encoder's {n_layers} layers; expected at least 1, \
         and fewer than all"
    )]
    ContrastiveLayers {
        /// Layers of the contrastive module.
        found: usize,
        /// Layers of the encoder.
        n_layers: usize,
    },
    /// A middle layer that is none.
    #[error("middle_layer: expected one below the last of {n_layers} layers, or 0, found {found}")]
    MiddleLayer {
        /// The layer.
        found: usize,
        /// The layers there are.
        n_layers: usize,
    },
    /// Fewer clusters than a classification needs.
    #[error("pretraining needs at least 2 clusters, found {found}")]
    TooFewClusters {
        /// The value given.
        found: usize,
    },
}

/// Why a semantic tokenizer could not be assembled, written or read.
#[derive(Debug, thiserror::Error)]
pub enum SemanticError {
    /// The encoder's configuration describes no model.
    #[error(transparent)]
    Hubert(#[from] HubertError),
    /// The weights could not be written or read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file of PyTorch or joblib is damaged, or holds something else.
    #[error(transparent)]
    Pickle(#[from] PickleError),
    /// A published encoder that is not covered here, or whose description does not fit it.
    #[error("{path}: setting {setting}: expected {expected}, found {found}")]
    Setting {
        /// The file.
        path: PathBuf,
        /// The setting of the model.
        setting: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A pronouncing dictionary could not be read.
    #[error("{path}: {reason}")]
    Lexicon {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration beside the weights could not be written or read.
    #[error("{path}: {reason}")]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the reader or writer said.
        reason: String,
    },
    /// A published model that is no encoder known here.
    #[error(
        "{path}: model_type is {found}; expected one of hubert, wav2vec2, wavlm, mert_model, wav2vec2-bert"
    )]
    UnknownModel {
        /// The configuration.
        path: PathBuf,
        /// The kind of model.
        found: String,
    },
    /// A published encoder of a variant that is not implemented.
    #[error("{path}: this {model} has {field} = {found}; supported is only {expected}")]
    Unsupported {
        /// The configuration.
        path: PathBuf,
        /// The kind of model.
        model: String,
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A configuration written by another version of this format.
    #[error("{path}: configuration version {found}, this build reads version {expected}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version this build writes and reads.
        expected: usize,
        /// The version in the file.
        found: usize,
    },
    /// The layer to be tapped does not exist.
    #[error("layer {found} is to be tapped, but the encoder has {n_layers}")]
    NoSuchLayer {
        /// The layer asked for.
        found: usize,
        /// The layers there are.
        n_layers: usize,
    },
    /// A layer is to be tapped beside one that is not above it.
    #[error("layer {found} is to be tapped beside layer {top}; expected one below it")]
    NotBelow {
        /// The layer asked for.
        found: usize,
        /// The highest that is tapped.
        top: usize,
    },
    /// The clusters were fitted to features of another width.
    #[error("the clustering takes {found} features, the encoder gives {expected}")]
    FeatureWidth {
        /// What the encoder gives.
        expected: usize,
        /// What the clustering takes.
        found: usize,
    },
    /// A window that its two contexts fill completely.
    #[error(
        "a window of {frames} frames has no room beside contexts of {context_frames}{}",
        ahead_frames.map_or(String::new(), |it| format!(", and {it} at the end"))
    )]
    WindowTooShort {
        /// Frames of a window.
        frames: usize,
        /// Frames of context on each side.
        context_frames: usize,
        /// Frames of context at the end, where they are others.
        ahead_frames: Option<usize>,
    },
    /// An id that is of no frame.
    #[error("frames_per_id: expected at least 1, found 0")]
    NoFrameOfAnId,
}
