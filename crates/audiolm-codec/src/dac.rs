//! DAC, the Descript audio codec (Kumar et al. 2023, arXiv 2306.06546), as published in
//! transformers' format.

mod codebook;
mod config;
mod layers;
mod network;
#[cfg(test)]
mod parity;

use std::path::Path;

use audiolm_nn::WeightReader;
use burn::prelude::*;

pub use config::DacConfig;

use crate::CodecError;
use crate::folder::{CONFIG_FILE, WEIGHTS_FILE};
use crate::hub_config::HubConfig;
use codebook::FactorisedCodebook;
use network::{Decoder, Encoder};

/// The codec that looks ahead, with periodic activations and codebooks of few dimensions: DAC
/// 16 kHz, 24 kHz and 44.1 kHz.
#[derive(Debug, Clone)]
pub struct Dac {
    encoder: Encoder,
    codebooks: Vec<FactorisedCodebook>,
    decoder: Decoder,
}

impl Dac {
    /// Reads `config.json` and `model.safetensors` of a folder.
    ///
    /// # Errors
    /// Where a file is missing or damaged, they do not fit one another, or describe a variant that
    /// is not implemented.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, CodecError> {
        let config = DacConfig::of(&HubConfig::load(&folder.join(CONFIG_FILE))?)?;
        Self::read(&config, &folder.join(WEIGHTS_FILE), device)
    }

    pub(crate) fn read(
        config: &DacConfig,
        path: &Path,
        device: &Device,
    ) -> Result<Self, CodecError> {
        let mut weights = WeightReader::open(path, device)?;
        let codebook = |index| FactorisedCodebook::read(&mut weights, index, config);
        let codebooks = (0..config.n_codebooks).map(codebook).collect();
        let codec = Self {
            encoder: Encoder::read(&mut weights, config),
            codebooks,
            decoder: Decoder::read(&mut weights, config),
        };
        weights.finish()?;
        Ok(codec)
    }

    /// The codes of every codebook. A last frame that is not whole gives none.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    /// - output: `[batch, quantizer, samples / hop]`
    pub fn encode(&self, wave: Tensor<3>) -> Tensor<3, Int> {
        let mut residual = self.encoder.forward(wave);
        let codes = self.codebooks.iter().map(|codebook| {
            let codes = codebook.assign(residual.clone());
            residual = residual.clone() - codebook.lookup(codes.clone());
            codes
        });
        Tensor::cat(codes.collect(), 1)
    }

    /// The wave of codes, from any number of leading codebooks.
    ///
    /// Every odd stride takes off one frame, so the wave ends a few samples before its last frame
    /// does: 8 at 16 kHz and 24 kHz, none at 44.1 kHz.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at least 1 and at most the number of codebooks
    /// - output: `[batch, 1, samples]`, nearly `time * hop`
    ///
    /// # Panics
    /// On any other shape.
    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        self.decoder.forward(self.quantized(codes))
    }

    /// The sum of what the codebooks project back: `[batch, dimension, time]`.
    fn quantized(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        let (n, available) = (codes.dims()[1], self.codebooks.len());
        assert!((1..=available).contains(&n), "{n} rows of codes for {available} quantizers");
        let rows = codes.split(1, 1).into_iter().zip(&self.codebooks);
        let sum = rows.map(|(codes, codebook)| codebook.lookup(codes)).reduce(|sum, it| sum + it);
        sum.expect("at least one row of codes")
    }
}
