//! The residual unit of SoundStream.

use audiolm_nn::{CausalConv1d, CausalConv1dConfig, ConvError, elu};
use burn::prelude::*;

/// A dilated convolution of kernel 7 to half the channels, one of kernel 1 back, around a skip
/// (arXiv 2107.03312, figure 3).
///
/// The half width is what the paper's parameter counts require; full-width units match them for no
/// size of the bottleneck.
#[derive(Module, Debug)]
pub struct ResidualUnit {
    dilated: CausalConv1d,
    mixing: CausalConv1d,
}

impl ResidualUnit {
    /// A unit that adds nothing to its input before it has learnt to.
    pub(crate) fn new(
        channels: usize,
        dilation: usize,
        device: &Device,
    ) -> Result<Self, ConvError> {
        let narrow = channels / 2;
        Ok(Self {
            dilated: CausalConv1dConfig::new(channels, narrow, 7)
                .with_dilation(dilation)
                .init(device)?,
            mixing: CausalConv1dConfig::new(narrow, channels, 1)
                .init(device)?
                .with_kernels(|it| it.zeros_like()),
        })
    }

    /// # Shapes
    /// - input and output: `[batch, time, channels]`
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = self.dilated.forward(elu(input.clone()));
        input + self.mixing.forward(elu(hidden))
    }
}

/// The three units of every block, whose dilations let it see 1, 3 and 9 frames apart.
pub(crate) fn residual_units(
    channels: usize,
    device: &Device,
) -> Result<Vec<ResidualUnit>, ConvError> {
    [1, 3, 9].into_iter().map(|it| ResidualUnit::new(channels, it, device)).collect()
}
