//! Encoders that other software has trained: as transformers keeps them, with `config.json`,
//! `preprocessor_config.json` and tensors of its names, or in a checkpoint of fairseq, which is turned into
//! that.
//!
//! What is not the encoder's is left out, by a list; all else must fit exactly.

mod config;
mod conformer;
mod file;
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
pub use file::PublishedFile;
use tensors::Tensors;

/// An encoder that has been published, and what describes it.
#[derive(Debug)]
pub struct PublishedEncoder {
    /// Its configuration.
    pub config: EncoderConfig,
    /// The encoder.
    pub encoder: Encoder,
}

impl PublishedEncoder {
    /// Reads the folder of a model of transformers (`config.json`, and `model.safetensors` or
    /// `pytorch_model.bin`, in one file or several), or a checkpoint of fairseq. Nothing in the files
    /// is run.
    ///
    /// # Errors
    /// Where files are missing or damaged, or describe a model that is not covered.
    pub fn load(path: &Path, device: &Device) -> Result<Self, SemanticError> {
        let file = PublishedFile::open(path, device)?;
        let config = file.config.encoder()?;
        let encoder = Encoder::read(&config, file.weights, device)?;
        Ok(Self { config, encoder })
    }
}

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
