//! Encoder and decoder of DAC (arXiv 2306.06546, section 3).

use audiolm_nn::WeightReader;
use burn::prelude::*;

use super::config::DacConfig;
use super::layers::{DacResidualUnit, EvenConv, EvenUpsampling, Snake};

/// From samples to frames.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    pub(super) first: EvenConv,
    pub(super) blocks: Vec<EncoderBlock>,
    pub(super) snake: Snake,
    last: EvenConv,
}

/// From frames to samples.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    pub(super) first: EvenConv,
    pub(super) blocks: Vec<DecoderBlock>,
    snake: Snake,
    last: EvenConv,
}

#[derive(Debug, Clone)]
pub(super) struct EncoderBlock {
    units: Vec<DacResidualUnit>,
    snake: Snake,
    downsample: EvenConv,
}

#[derive(Debug, Clone)]
pub(super) struct DecoderBlock {
    snake: Snake,
    upsample: EvenUpsampling,
    units: Vec<DacResidualUnit>,
}

impl Encoder {
    pub(super) fn read(weights: &mut WeightReader, config: &DacConfig) -> Self {
        let mut channels = config.encoder_hidden_size;
        let first = EvenConv::read(weights, "encoder.conv1", [channels, 1, 7]);
        let mut blocks = Vec::new();
        for (index, &stride) in config.downsampling_ratios.iter().enumerate() {
            let name = format!("encoder.block.{index}");
            blocks.push(EncoderBlock::read(weights, &name, channels, stride));
            channels *= 2;
        }
        let kernels = [config.hidden_size(), channels, 3];
        Self {
            first,
            blocks,
            snake: Snake::read(weights, "encoder.snake1", channels),
            last: EvenConv::read(weights, "encoder.conv2", kernels),
        }
    }

    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    /// - output: `[batch, dimension, samples / hop]`
    pub(super) fn forward(&self, wave: Tensor<3>) -> Tensor<3> {
        let first = self.first.forward(wave);
        let hidden = self.blocks.iter().fold(first, |it, block| block.forward(it));
        self.last.forward(self.snake.forward(hidden))
    }
}

impl Decoder {
    pub(super) fn read(weights: &mut WeightReader, config: &DacConfig) -> Self {
        let mut channels = config.decoder_hidden_size;
        let kernels = [channels, config.hidden_size(), 7];
        let first = EvenConv::read(weights, "decoder.conv1", kernels);
        let mut blocks = Vec::new();
        for (index, &stride) in config.downsampling_ratios.iter().rev().enumerate() {
            let name = format!("decoder.block.{index}");
            blocks.push(DecoderBlock::read(weights, &name, channels, stride));
            channels /= 2;
        }
        Self {
            first,
            blocks,
            snake: Snake::read(weights, "decoder.snake1", channels),
            last: EvenConv::read(weights, "decoder.conv2", [1, channels, 7]),
        }
    }

    /// # Shapes
    /// - frames: `[batch, dimension, time]`
    /// - output: `[batch, 1, samples]`
    pub(super) fn forward(&self, frames: Tensor<3>) -> Tensor<3> {
        let first = self.first.forward(frames);
        let hidden = self.blocks.iter().fold(first, |it, block| block.forward(it));
        self.last.forward(self.snake.forward(hidden)).tanh()
    }
}

impl EncoderBlock {
    fn read(weights: &mut WeightReader, name: &str, channels: usize, stride: usize) -> Self {
        let conv = format!("{name}.conv1");
        let kernels = [2 * channels, channels, 2 * stride];
        Self {
            units: DacResidualUnit::read_three(weights, name, channels),
            snake: Snake::read(weights, &format!("{name}.snake1"), channels),
            downsample: EvenConv::read(weights, &conv, kernels).strided(stride),
        }
    }

    pub(super) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = self.units.iter().fold(input, |it, unit| unit.forward(it));
        self.downsample.forward(self.snake.forward(hidden))
    }
}

impl DecoderBlock {
    /// From `channels` at the lower rate to half as many at the higher.
    fn read(weights: &mut WeightReader, name: &str, channels: usize, stride: usize) -> Self {
        let conv = format!("{name}.conv_t1");
        Self {
            snake: Snake::read(weights, &format!("{name}.snake1"), channels),
            upsample: EvenUpsampling::read(weights, &conv, channels, stride),
            units: DacResidualUnit::read_three(weights, name, channels / 2),
        }
    }

    pub(super) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = self.upsample.forward(self.snake.forward(input));
        self.units.iter().fold(hidden, |it, unit| unit.forward(it))
    }
}
