//! The normalisation of the STFT discriminator.

use audiolm_nn::example_norm;
use burn::module::{Initializer, Param};
use burn::prelude::*;

/// Zero mean and unit variance over all that one example makes, then a scale and an offset for each
/// channel: see [`example_norm`].
#[derive(Module, Debug)]
pub(crate) struct ExampleNorm {
    /// `[channels]`
    gamma: Param<Tensor<1>>,
    /// `[channels]`
    beta: Param<Tensor<1>>,
}

impl ExampleNorm {
    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        Self {
            gamma: Initializer::Ones.init([channels], device),
            beta: Initializer::Zeros.init([channels], device),
        }
    }

    /// # Shapes
    /// - input and output: `[batch, rows, columns, channels]`
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        example_norm(input, self.gamma.val(), self.beta.val())
    }
}
