//! The convolution every discriminator is built from.

use burn::module::{Initializer, Param};
use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// Keeps the norm of a kernel of zeros, and its gradient, finite.
const SMALLEST_SQUARE: f64 = 1e-16;

/// Sizes of a [`Convolution`]; of each pair the first is that of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvolutionConfig {
    channels: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 2],
    groups: usize,
}

/// A convolution over rows and columns (frames and bins of a spectrum, samples and phases of a
/// folded wave) whose kernels are a direction times a length: weight normalisation (Salimans and
/// Kingma 2016, arXiv 1602.07868, equation 2), as the discriminators of EnCodec, HiFi-GAN and
/// MelGAN have it.
#[derive(Module, Debug)]
pub(crate) struct Convolution {
    /// `[channels_out, channels_in / groups, kernel_rows, kernel_columns]`, as PyTorch has it.
    direction: Param<Tensor<4>>,
    /// `[channels_out, 1, 1, 1]`
    length: Param<Tensor<4>>,
    /// `[channels_out]`
    bias: Param<Tensor<1>>,
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 2],
    groups: usize,
}

impl ConvolutionConfig {
    /// From the first number of channels to the second, padded so that strides alone change sizes.
    pub(crate) fn new(channels: [usize; 2], kernel: [usize; 2]) -> Self {
        Self {
            channels,
            kernel,
            stride: [1, 1],
            dilation: [1, 1],
            padding: kernel.map(|it| (it - 1) / 2),
            groups: 1,
        }
    }

    pub(crate) fn with_stride(self, stride: [usize; 2]) -> Self {
        Self { stride, ..self }
    }

    pub(crate) fn with_padding(self, padding: [usize; 2]) -> Self {
        Self { padding, ..self }
    }

    pub(crate) fn with_groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// So many rows from one tap to the next, and the padding that goes with it.
    pub(crate) fn with_row_dilation(self, rows: usize) -> Self {
        let padding = [(self.kernel[0] - 1) / 2 * rows, self.padding[1]];
        Self { dilation: [rows, 1], padding, ..self }
    }

    /// Kernels of variance `1 / fan_in`, and no bias.
    pub(crate) fn init(&self, device: &Device) -> Convolution {
        let [channels_in, channels_out] = self.channels;
        let [rows, columns] = self.kernel;
        let fan_in = channels_in / self.groups * rows * columns;
        let bound = (3.0 / fan_in as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        let shape = [channels_out, channels_in / self.groups, rows, columns];
        let direction: Param<Tensor<4>> = uniform.init(shape, device);
        let length = norms(direction.val()).detach();
        Convolution {
            direction,
            length: Param::from_tensor(length),
            bias: Initializer::Zeros.init([channels_out], device),
            stride: self.stride,
            dilation: self.dilation,
            padding: self.padding,
            groups: self.groups,
        }
    }
}

impl Convolution {
    /// # Shapes
    /// - input: `[batch, channels_in, rows, columns]`
    /// - output: `[batch, channels_out, rows', columns']`
    ///
    /// # Panics
    /// On another number of channels, or where rows or columns are fewer than the kernel spans.
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new(self.stride, self.padding, self.dilation, self.groups);
        let direction = self.direction.val();
        let kernels = direction.clone() * (self.length.val() / norms(direction));
        conv2d(input, kernels, Some(self.bias.val()), options)
    }
}

/// `x` where `x > 0`, else `slope * x`, in the cheapest passes over memory.
pub(crate) fn leaky<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    relu(x.clone()) * (1.0 - slope) + x * slope
}

/// The length of each kernel: `[channels_out, 1, 1, 1]`.
fn norms(direction: Tensor<4>) -> Tensor<4> {
    let [channels_out, ..] = direction.dims();
    let squares: Tensor<2> = direction.square().flatten(1, 3);
    (squares.sum_dim(1) + SMALLEST_SQUARE).sqrt().reshape([channels_out, 1, 1, 1])
}
