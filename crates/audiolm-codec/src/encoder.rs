//! The encoder of SoundStream: from samples to one vector per frame.

use audiolm_nn::{CausalConv1d, CausalConv1dConfig, ConvError, elu};
use burn::prelude::*;

use crate::residual_unit::residual_units;
use crate::transform::{BandSplits, into_channels};
use crate::{ResidualUnit, SoundStreamConfig};

/// A convolution, blocks that each halve the channels' width in time, and a last convolution to
/// the frame's vector (arXiv 2107.03312, section III-A).
#[derive(Module, Debug)]
pub struct Encoder {
    first: CausalConv1d,
    blocks: Vec<EncoderBlock>,
    last: CausalConv1d,
}

#[derive(Module, Debug)]
struct EncoderBlock {
    units: Vec<ResidualUnit>,
    downsample: CausalConv1d,
}

impl Encoder {
    pub(crate) fn new(config: &SoundStreamConfig, device: &Device) -> Result<Self, ConvError> {
        let mut channels = config.encoder_channels;
        let first = CausalConv1dConfig::new(1, channels, 7).init(device)?;
        let mut blocks = Vec::new();
        for stride in &config.strides {
            blocks.push(EncoderBlock::new(channels, *stride, device)?);
            channels *= 2;
        }
        let last = CausalConv1dConfig::new(channels, config.dimension, 3).init(device)?;
        Ok(Self { first, blocks, last }.with_transform(&BandSplits::new(config)))
    }

    /// With the first weights that [`transform`](crate::transform) describes.
    fn with_transform(self, splits: &BandSplits) -> Self {
        let split = |(level, block): (usize, EncoderBlock)| EncoderBlock {
            downsample: block.downsample.with_kernels(|it| splits.split(level, it)),
            ..block
        };
        Self {
            first: self.first.with_kernels(into_channels),
            blocks: self.blocks.into_iter().enumerate().map(split).collect(),
            last: self.last.with_kernels(|it| splits.enter_frame(it)),
        }
    }

    /// # Shapes
    /// - wave: `[batch, 1, samples]`, `samples` a multiple of the hop
    /// - output: `[batch, samples / hop, dimension]`
    pub fn forward(&self, wave: Tensor<3>) -> Tensor<3> {
        let hidden = self.first.forward(wave.swap_dims(1, 2));
        let hidden = self.blocks.iter().fold(hidden, |it, block| block.forward(it));
        self.last.forward(elu(hidden))
    }
}

impl EncoderBlock {
    fn new(channels: usize, stride: usize, device: &Device) -> Result<Self, ConvError> {
        let downsample = CausalConv1dConfig::new(channels, 2 * channels, 2 * stride);
        Ok(Self {
            units: residual_units(channels, device)?,
            downsample: downsample.with_stride(stride).init(device)?,
        })
    }

    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = self.units.iter().fold(input, |it, unit| unit.forward(it));
        self.downsample.forward(elu(hidden))
    }
}
