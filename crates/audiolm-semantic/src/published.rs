//! Encoders that other software has trained, as transformers keeps them: `config.json`,
//! `preprocessor_config.json` and tensors with its names.
//!
//! What is not the encoder's is left out, by a list; all else must fit exactly.

mod config;
mod conformer;
mod hubert;
mod keys;
mod tensors;
#[cfg(test)]
mod tests;

use std::path::Path;

use audiolm_nn::WeightReader;
use burn::prelude::*;

use crate::{Encoder, EncoderConfig, Hubert, HubertConfig, SemanticError};
pub use config::TransformersConfig;
use tensors::Tensors;

impl Encoder {
    /// Fills an encoder with tensors that have the names of transformers.
    ///
    /// A prefix of all names (`hubert.` and the like, as models with a head have it) is taken off;
    /// heads, quantizers and the embedding of masked frames are left out.
    ///
    /// # Errors
    /// Where the configuration describes no model, or the tensors are other than its own.
    pub fn read(
        config: &EncoderConfig,
        weights: WeightReader,
        device: &Device,
    ) -> Result<Self, SemanticError> {
        let mut tensors = Tensors::new(weights);
        let encoder = match config {
            EncoderConfig::Hubert(config) => {
                Self::Hubert(hubert::filled(config.init(device)?, config, &mut tensors))
            }
            EncoderConfig::Conformer(config) => {
                Self::Conformer(conformer::filled(config.init(device)?, config, &mut tensors))
            }
        };
        tensors.finish()?;
        Ok(encoder)
    }
}

/// Reads an encoder with HuBERT's body from the weights of transformers in one file.
///
/// # Errors
/// As [`Encoder::read`], and where the file cannot be read.
pub fn load_transformers(
    config: &HubertConfig,
    path: &Path,
    device: &Device,
) -> Result<Hubert, SemanticError> {
    let weights = WeightReader::open(path, device)?;
    match Encoder::read(&config.into(), weights, device)? {
        Encoder::Hubert(hubert) => Ok(hubert),
        Encoder::Conformer(_) => unreachable!("the configuration is of HuBERT's body"),
    }
}
