//! EnCodec (Défossez et al. 2022, arXiv 2210.13438), as published in transformers' format.

mod config;
#[cfg(test)]
mod parity;

use std::path::Path;

use audiolm_nn::WeightReader;
use burn::prelude::*;

pub use config::EnCodecConfig;

use crate::CodecError;
use crate::folder::{CONFIG_FILE, WEIGHTS_FILE};
use crate::hub_config::HubConfig;
use crate::seanet::{ResidualCodebooks, Seanet, SeanetState};

/// Keeps the loudness of silence finite.
const LEAST_SCALE: f64 = 1e-8;

/// What only training needs of a codebook.
const TRAINING_ONLY: [&str; 3] = ["inited", "cluster_size", "embed_avg"];

/// The causal codec with recurrent layers and reflecting edges: EnCodec 24 kHz.
///
/// Its bandwidth is a number of leading codes: each is worth 750 bits per second in the published
/// model.
#[derive(Debug, Clone)]
pub struct EnCodec {
    encoder: Seanet,
    codebooks: ResidualCodebooks,
    decoder: Seanet,
    normalize: bool,
}

impl EnCodec {
    /// Reads `config.json` and `model.safetensors` of a folder.
    ///
    /// # Errors
    /// Where a file is missing or damaged, they do not fit one another, or describe a variant that
    /// is not implemented.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, CodecError> {
        let config = EnCodecConfig::of(&HubConfig::load(&folder.join(CONFIG_FILE))?)?;
        Self::read(&config, &folder.join(WEIGHTS_FILE), device)
    }

    pub(crate) fn read(
        config: &EnCodecConfig,
        path: &Path,
        device: &Device,
    ) -> Result<Self, CodecError> {
        let mut weights = WeightReader::open(path, device)?;
        let seanet = config.seanet();
        let codec = Self {
            encoder: Seanet::read_encoder(&mut weights, &seanet),
            codebooks: codebooks(&mut weights, config),
            decoder: Seanet::read_decoder(&mut weights, &seanet),
            normalize: config.normalize,
        };
        weights.finish()?;
        Ok(codec)
    }

    /// The codes of every codebook.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    /// - output: `[batch, quantizer, ceil(samples / hop)]`
    pub fn encode(&self, wave: Tensor<3>) -> Tensor<3, Int> {
        let wave = match self.scale(&wave) {
            Some(scale) => wave / scale,
            None => wave,
        };
        self.encode_step(wave, &mut SeanetState::default())
    }

    /// What a model that normalises divides a wave by before it encodes it, and what it decodes is
    /// to be multiplied with: `[batch, 1, 1]`.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    pub fn scale(&self, wave: &Tensor<3>) -> Option<Tensor<3>> {
        let scale = || wave.clone().square().mean_dim(2).sqrt() + LEAST_SCALE;
        self.normalize.then(scale)
    }

    /// The wave of codes, from any number of leading codebooks.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at least 1 and at most the number of codebooks
    /// - output: `[batch, 1, time * hop]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        self.decode_step(codes, &mut SeanetState::default())
    }

    /// The codes of the next chunk of a stream that is not normalised.
    pub(crate) fn encode_step(&self, chunk: Tensor<3>, state: &mut SeanetState) -> Tensor<3, Int> {
        self.codebooks.encode(self.encoder.step(chunk, state))
    }

    /// The wave of the next codes of a stream.
    pub(crate) fn decode_step(&self, codes: Tensor<3, Int>, state: &mut SeanetState) -> Tensor<3> {
        self.decoder.step(self.codebooks.decode(codes), state)
    }
}

fn codebooks(weights: &mut WeightReader, config: &EnCodecConfig) -> ResidualCodebooks {
    let mut table = |index: usize| {
        let name = format!("quantizer.layers.{index}.codebook");
        for part in TRAINING_ONLY {
            weights.skip(&format!("{name}.{part}"));
        }
        weights.take(&format!("{name}.embed"), [config.codebook_size, config.hidden_size])
    };
    ResidualCodebooks { tables: (0..config.n_quantizers()).map(&mut table).collect() }
}
