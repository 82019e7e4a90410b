//! Mimi (Défossez et al. 2024, arXiv 2410.00037), as published in transformers' format.

mod attention;
mod config;
#[cfg(test)]
mod parity;
mod quantizer;
mod resampling;
mod transformer;

use std::path::Path;

use audiolm_nn::WeightReader;
use burn::prelude::*;

pub use config::MimiConfig;

use crate::CodecError;
use crate::folder::{CONFIG_FILE, WEIGHTS_FILE};
use crate::hub_config::HubConfig;
use crate::seanet::{
    EdgedConv, EdgedConvState, Seanet, SeanetState, UpsamplingConv, UpsamplingConvState,
};
use quantizer::SplitQuantizer;
use transformer::{Transformer, TransformerState};

/// The causal codec with transformers, whose first code says what is said: Mimi 24 kHz.
#[derive(Debug, Clone)]
pub struct Mimi {
    encoder: Seanet,
    encoder_transformer: Transformer,
    downsample: EdgedConv,
    quantizer: SplitQuantizer,
    upsample: UpsamplingConv,
    decoder_transformer: Transformer,
    decoder: Seanet,
}

/// What a stream carries from one chunk of sound to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct MimiEncodeState {
    encoder: SeanetState,
    transformer: TransformerState,
    downsample: EdgedConvState,
}

/// What a stream carries from some codes to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct MimiDecodeState {
    upsample: UpsamplingConvState,
    transformer: TransformerState,
    decoder: SeanetState,
}

impl Mimi {
    /// Reads `config.json` and `model.safetensors` of a folder.
    ///
    /// # Errors
    /// Where a file is missing or damaged, they do not fit one another, or describe a variant that
    /// is not implemented.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, CodecError> {
        let config = MimiConfig::of(&HubConfig::load(&folder.join(CONFIG_FILE))?)?;
        Self::read(&config, &folder.join(WEIGHTS_FILE), device)
    }

    pub(crate) fn read(
        config: &MimiConfig,
        path: &Path,
        device: &Device,
    ) -> Result<Self, CodecError> {
        let mut weights = WeightReader::open(path, device)?;
        let seanet = config.seanet();
        let codec = Self {
            encoder: Seanet::read_encoder(&mut weights, &seanet),
            encoder_transformer: Transformer::read(&mut weights, "encoder_transformer", config),
            downsample: resampling::read_downsample(&mut weights, config),
            quantizer: SplitQuantizer::read(&mut weights, config),
            upsample: resampling::read_upsample(&mut weights, config),
            decoder_transformer: Transformer::read(&mut weights, "decoder_transformer", config),
            decoder: Seanet::read_decoder(&mut weights, &seanet),
        };
        weights.finish()?;
        Ok(codec)
    }

    /// The codes of every codebook, the semantic ones first.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    /// - output: `[batch, quantizer, ceil(samples / hop)]`
    pub fn encode(&self, wave: Tensor<3>) -> Tensor<3, Int> {
        self.encode_step(wave, &mut MimiEncodeState::default())
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
        self.decode_step(codes, &mut MimiDecodeState::default())
    }

    /// The codes of the next chunk of a stream.
    pub(crate) fn encode_step(
        &self,
        chunk: Tensor<3>,
        state: &mut MimiEncodeState,
    ) -> Tensor<3, Int> {
        let hidden = self.encoder.step(chunk, &mut state.encoder).swap_dims(1, 2);
        let hidden = self.encoder_transformer.step(hidden, &mut state.transformer);
        let frames = self.downsample.step(hidden.swap_dims(1, 2), &mut state.downsample);
        self.quantizer.encode(frames)
    }

    /// The wave of the next codes of a stream.
    pub(crate) fn decode_step(
        &self,
        codes: Tensor<3, Int>,
        state: &mut MimiDecodeState,
    ) -> Tensor<3> {
        let frames = self.quantizer.decode(codes);
        let hidden = self.upsample.step(frames, &mut state.upsample).swap_dims(1, 2);
        let hidden = self.decoder_transformer.step(hidden, &mut state.transformer);
        self.decoder.step(hidden.swap_dims(1, 2), &mut state.decoder)
    }
}
