//! The norm after the first convolution.

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

/// Keeps silence from being divided by its deviation.
const EPSILON: f64 = 1e-5;

/// Each channel of each clip brought to zero mean and unit variance over time, then scaled and
/// shifted: a group norm with one channel per group.
///
/// It makes the features deaf to loudness, and lets every frame know the whole clip.
#[derive(Module, Debug)]
pub struct ClipNorm {
    /// `[channels]`
    weight: Param<Tensor<1>>,
    /// `[channels]`
    bias: Param<Tensor<1>>,
}

impl ClipNorm {
    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, channels]`
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let mean = input.clone().mean_dim(1);
        let centered = input - mean;
        let variance = centered.clone().square().mean_dim(1);
        let scale = self.weight.val().unsqueeze() / (variance + EPSILON).sqrt();
        centered * scale + self.bias.val().unsqueeze()
    }
}
