//! The residual block of SEANet.

use audiolm_nn::{WeightReader, elu};
use burn::prelude::*;

use super::conv::{ConvShape, EdgedConv, EdgedConvState};
use super::network::{SeanetConfig, Shortcut};

/// A dilated convolution to fewer channels and one of kernel 1 back, around a shortcut.
#[derive(Debug, Clone)]
pub(crate) struct ResidualBlock {
    dilated: EdgedConv,
    mixing: EdgedConv,
    shortcut: Option<EdgedConv>,
}

/// The past a stream carries through a block from one chunk to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResidualBlockState {
    dilated: EdgedConvState,
    mixing: EdgedConvState,
    shortcut: EdgedConvState,
}

impl ResidualBlock {
    pub(crate) fn read(
        weights: &mut WeightReader,
        name: &str,
        config: &SeanetConfig,
        [channels, dilation]: [usize; 2],
    ) -> Self {
        let narrow = channels / config.compress;
        let kernel_size = config.residual_kernel_size;
        let dilated = ConvShape { dilation, ..ConvShape::new(channels, narrow, kernel_size) };
        let mut read = |part: &str, shape: ConvShape| {
            EdgedConv::read(weights, &format!("{name}.{part}"), shape, config.edge)
        };
        Self {
            dilated: read("block.1", dilated),
            mixing: read("block.3", ConvShape::new(narrow, channels, 1)),
            shortcut: match config.shortcut {
                Shortcut::Plain => None,
                Shortcut::Convolved => {
                    Some(read("shortcut", ConvShape::new(channels, channels, 1)))
                }
            },
        }
    }

    /// # Shapes
    /// - chunk and output: `[batch, channels, time]`
    pub(crate) fn step(&self, chunk: Tensor<3>, state: &mut ResidualBlockState) -> Tensor<3> {
        let hidden = self.dilated.step(elu(chunk.clone()), &mut state.dilated);
        let hidden = self.mixing.step(elu(hidden), &mut state.mixing);
        let skipped = match &self.shortcut {
            None => chunk,
            Some(conv) => conv.step(chunk, &mut state.shortcut),
        };
        skipped + hidden
    }
}
