//! What can go wrong in this room, named.

use std::path::PathBuf;

use audiolm_pickle::PickleError;

/// Why a convolution's numbers describe no layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvError {
    /// A number of channels, a kernel, stride or dilation of zero.
    #[error("channels, kernel_size, stride and dilation must each be at least 1")]
    ZeroSize,
    /// The stride is wider than what the kernel sees.
    #[error("kernel spans {span} frames, so a stride of {stride} would skip some")]
    StrideSkipsFrames {
        /// Frames from the kernel's first tap to its last.
        span: usize,
        /// Frames between two outputs.
        stride: usize,
    },
    /// No layer of any codec here both skips outputs and spreads its taps.
    #[error("a stride of {stride} and a dilation of {dilation} cannot be combined")]
    StridedAndDilated {
        /// Frames between two outputs.
        stride: usize,
        /// Frames between two taps.
        dilation: usize,
    },
}

/// Why weights could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be opened, read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no safetensors file, or a damaged one.
    #[error("{path}: not a readable safetensors file: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The file is a damaged one of PyTorch or joblib, or holds something else than weights.
    #[error(transparent)]
    Foreign(PickleError),
    /// The index of weights in several files is damaged, or does not fit them.
    #[error("{path}: not a readable index of weights: {reason}")]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder of a model without weights.
    #[error("{folder}: no weights, expected one of {}", names.join(", "))]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// The files that were looked for.
        names: &'static [&'static str],
    },
    /// The file's tensors are not the module's.
    #[error("{path}: the weights do not fit the configuration: {}", mismatch.join("; "))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// One sentence for each kind of difference, with the tensors' names.
        mismatch: Vec<String>,
    },
}
