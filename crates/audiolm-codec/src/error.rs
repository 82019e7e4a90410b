//! What can go wrong in this room, named.

use std::path::PathBuf;

use audiolm_nn::{ConvError, WeightsError};

/// Why there is no codec.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// A layer cannot be built.
    #[error("the codec's configuration: {0}")]
    Layer(#[from] ConvError),
    /// A number in the configuration is out of bounds.
    #[error("the codec's configuration: {field} must be {expected}, found {found}")]
    Config {
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A codec of several channels, where recordings are mixed to one.
    #[error("recordings are mixed to one channel here: expected a codec of 1, found {found}")]
    NotMono {
        /// The codec's channels.
        found: usize,
    },
    /// A number of a discriminator is out of bounds.
    #[error("a discriminator: {field} must be {expected}, found {found}")]
    Discriminator {
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The configuration file cannot be read.
    #[error("{path}: not a readable codec configuration: {reason}")]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A code beyond the codebook.
    #[error("expected codes below {codebook_size}, found {found}")]
    UnknownCode {
        /// Entries of the codebook.
        codebook_size: usize,
        /// The code.
        found: u32,
    },
    /// Nothing to count.
    #[error("expected codes, found none")]
    NoCodes,
    /// A model that is no codec.
    #[error(
        "{path}: expected a codec: model_type encodec, dac or mimi, or none for our own; \
         found {found}"
    )]
    UnknownModel {
        /// The configuration.
        path: PathBuf,
        /// What kind of model it says it is.
        found: String,
    },
    /// A published codec of a variant that is not implemented.
    #[error("{path}: this {model} has {field} = {found}; supported is only {expected}")]
    Unsupported {
        /// The configuration.
        path: PathBuf,
        /// The kind of codec.
        model: &'static str,
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}
