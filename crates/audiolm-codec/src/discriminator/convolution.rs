//! The convolution every discriminator is built from.

use audiolm_nn::PlaneConvolution;
use burn::module::{Initializer, Param};
use burn::prelude::*;

/// Keeps the norm of a kernel of zeros, and its gradient, finite.
const SMALLEST_SQUARE: f64 = 1e-16;

/// Sizes of a [`Convolution`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvolutionConfig {
    channels: [usize; 2],
    plane: PlaneConvolution,
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
    #[module(skip)]
    plane: PlaneConvolution,
}

impl ConvolutionConfig {
    /// From the first number of channels to the second, padded so that strides alone change sizes.
    pub(crate) fn new(channels: [usize; 2], kernel: [usize; 2]) -> Self {
        let padding = kernel.map(|it| (it - 1) / 2);
        let plane =
            PlaneConvolution { kernel, stride: [1, 1], padding, row_dilation: 1, groups: 1 };
        Self { channels, plane }
    }

    pub(crate) fn with_stride(self, stride: [usize; 2]) -> Self {
        Self { plane: PlaneConvolution { stride, ..self.plane }, ..self }
    }

    pub(crate) fn with_padding(self, padding: [usize; 2]) -> Self {
        Self { plane: PlaneConvolution { padding, ..self.plane }, ..self }
    }

    pub(crate) fn with_groups(self, groups: usize) -> Self {
        Self { plane: PlaneConvolution { groups, ..self.plane }, ..self }
    }

    /// So many rows from one tap to the next, and the padding that goes with it.
    pub(crate) fn with_row_dilation(self, row_dilation: usize) -> Self {
        let PlaneConvolution { kernel: [rows, _], padding: [_, columns], .. } = self.plane;
        let padding = [(rows - 1) / 2 * row_dilation, columns];
        Self { plane: PlaneConvolution { row_dilation, padding, ..self.plane }, ..self }
    }

    /// Kernels of variance `1 / fan_in`, and no bias.
    pub(crate) fn init(&self, device: &Device) -> Convolution {
        let [channels_in, channels_out] = self.channels;
        let PlaneConvolution { kernel: [rows, columns], groups, .. } = self.plane;
        let fan_in = channels_in / groups * rows * columns;
        let bound = (3.0 / fan_in as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        let shape = [channels_out, channels_in / groups, rows, columns];
        let direction: Param<Tensor<4>> = uniform.init(shape, device);
        let length = norms(direction.val()).detach();
        Convolution {
            direction,
            length: Param::from_tensor(length),
            bias: Initializer::Zeros.init([channels_out], device),
            plane: self.plane,
        }
    }
}

impl Convolution {
    /// # Shapes
    /// - input: `[batch, rows, columns, channels_in]`
    /// - output: `[batch, rows', columns', channels_out]`
    ///
    /// # Panics
    /// On another number of channels, or where rows or columns are fewer than the kernel spans.
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let direction = self.direction.val();
        let kernels = direction.clone() * (self.length.val() / norms(direction));
        self.plane.forward(input, kernels, self.bias.val())
    }
}

/// The length of each kernel: `[channels_out, 1, 1, 1]`.
fn norms(direction: Tensor<4>) -> Tensor<4> {
    let [channels_out, ..] = direction.dims();
    let squares: Tensor<2> = direction.square().flatten(1, 3);
    (squares.sum_dim(1) + SMALLEST_SQUARE).sqrt().reshape([channels_out, 1, 1, 1])
}
