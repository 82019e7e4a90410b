//! The decoder of SoundStream: from one vector per frame to samples.

use audiolm_nn::{
    CausalConv1d, CausalConv1dConfig, CausalConvTranspose1d, CausalConvTranspose1dConfig,
    ConvError, elu,
};
use burn::prelude::*;

use crate::residual_unit::residual_units;
use crate::transform::{BandSplits, from_channels};
use crate::{ResidualUnit, SoundStreamConfig};

/// The mirror image of the [`Encoder`](crate::Encoder): strides in reverse, channels halving
/// (arXiv 2107.03312, section III-B).
#[derive(Module, Debug)]
pub struct Decoder {
    first: CausalConv1d,
    blocks: Vec<DecoderBlock>,
    last: CausalConv1d,
}

#[derive(Module, Debug)]
struct DecoderBlock {
    upsample: CausalConvTranspose1d,
    units: Vec<ResidualUnit>,
}

impl Decoder {
    pub(crate) fn new(config: &SoundStreamConfig, device: &Device) -> Result<Self, ConvError> {
        let mut channels = config.decoder_channels << config.strides.len();
        let first = CausalConv1dConfig::new(config.dimension, channels, 7).init(device)?;
        let mut blocks = Vec::new();
        for stride in config.strides.iter().rev() {
            blocks.push(DecoderBlock::new(channels, *stride, device)?);
            channels /= 2;
        }
        let last = CausalConv1dConfig::new(channels, 1, 7).init(device)?;
        Ok(Self { first, blocks, last }.with_transform(&BandSplits::new(config)))
    }

    /// With the first weights that [`transform`](crate::transform) describes.
    fn with_transform(self, splits: &BandSplits) -> Self {
        let n_levels = self.blocks.len();
        let join = |(index, block): (usize, DecoderBlock)| {
            let level = n_levels - 1 - index;
            let inverse = |it: Tensor<3>| splits.join(level, it.dims(), &it.device());
            DecoderBlock { upsample: block.upsample.with_kernels(inverse), ..block }
        };
        Self {
            first: self.first.with_kernels(|it| splits.leave_frame(it)),
            blocks: self.blocks.into_iter().enumerate().map(join).collect(),
            last: self.last.with_kernels(|it| from_channels(it.dims(), &it.device())),
        }
    }

    /// # Shapes
    /// - frames: `[batch, time, dimension]`
    /// - output: `[batch, 1, time * hop]`
    pub fn forward(&self, frames: Tensor<3>) -> Tensor<3> {
        let hidden =
            self.blocks.iter().fold(self.first.forward(frames), |it, block| block.forward(it));
        self.last.forward(elu(hidden)).swap_dims(1, 2)
    }
}

impl DecoderBlock {
    /// From `channels` at the lower rate to half as many at the higher.
    fn new(channels: usize, stride: usize, device: &Device) -> Result<Self, ConvError> {
        let narrow = channels / 2;
        Ok(Self {
            upsample: CausalConvTranspose1dConfig::new(channels, narrow, stride).init(device)?,
            units: residual_units(narrow, device)?,
        })
    }

    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = self.upsample.forward(elu(input));
        self.units.iter().fold(hidden, |it, unit| unit.forward(it))
    }
}
