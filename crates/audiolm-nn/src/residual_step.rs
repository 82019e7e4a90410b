//! Two causal convolutions around a skip: the unit that codecs are built from.

use burn::prelude::*;

use crate::kernels::inference_kernels_of;
use crate::{CausalConv1d, CausalConv1dState, elu};

/// Kernels and biases of two causal convolutions around a skip, as products want them.
#[derive(Debug, Clone)]
pub struct ResidualKernels {
    /// `[taps * channels, narrow]`
    pub dilated: Tensor<2>,
    /// `[narrow]`
    pub dilated_bias: Tensor<1>,
    /// `[narrow, channels]`
    pub mixing: Tensor<2>,
    /// `[channels]`
    pub mixing_bias: Tensor<1>,
    /// Input frames from one tap to the next.
    pub dilation: usize,
}

/// A chunk of a stream and what a unit adds to it: `chunk + mixing(elu(dilated(elu(chunk))))`.
///
/// Where no gradient is asked for and the backend has a [kernel](crate::Kernels) for it, that goes
/// through memory once.
///
/// # Shapes
/// - chunk and output: `[batch, time, channels]`
///
/// # Panics
/// Where the first layer has a stride, or the second a past.
pub fn step_residual(
    chunk: Tensor<3>,
    [dilated, mixing]: [&CausalConv1d; 2],
    [of_dilated, of_mixing]: [&mut CausalConv1dState; 2],
) -> Tensor<3> {
    let Some(native) = inference_kernels_of(&chunk) else {
        let hidden = dilated.step(elu(chunk.clone()), of_dilated);
        return chunk + mixing.step(elu(hidden), of_mixing);
    };
    let past = of_dilated.advance(&chunk, elu);
    let kernels = ResidualKernels {
        dilated: of_dilated.matrix(),
        dilated_bias: dilated.bias(),
        mixing: of_mixing.matrix(),
        mixing_bias: mixing.bias(),
        dilation: dilated.dilation(),
    };
    native.residual_unit(past, chunk, kernels)
}
