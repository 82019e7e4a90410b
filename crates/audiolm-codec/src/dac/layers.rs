//! The layers of DAC, which see silence beyond both edges.

use audiolm_nn::WeightReader;
use burn::prelude::*;
use burn::tensor::module::{conv_transpose1d, conv1d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

/// Keeps a frequency of zero from dividing.
const LEAST_FREQUENCY: f64 = 1e-9;

/// A convolution that sees as far back as ahead.
#[derive(Debug, Clone)]
pub(super) struct EvenConv {
    weight: Tensor<3>,
    bias: Tensor<1>,
    stride: usize,
    padding: usize,
    dilation: usize,
}

/// A transposed convolution over two strides.
#[derive(Debug, Clone)]
pub(super) struct EvenUpsampling {
    weight: Tensor<3>,
    bias: Tensor<1>,
    stride: usize,
}

/// The periodic activation (Ziyin et al. 2020, arXiv 2006.08195): `x + sin(a x)^2 / a`, with a
/// frequency `a` of its own for each channel.
#[derive(Debug, Clone)]
pub(super) struct Snake {
    /// `[1, channels, 1]`
    frequency: Tensor<3>,
}

/// A dilated convolution and one of kernel 1, around a skip (arXiv 2306.06546, section 3.1).
#[derive(Debug, Clone)]
pub(super) struct DacResidualUnit {
    before_dilated: Snake,
    dilated: EvenConv,
    before_mixing: Snake,
    mixing: EvenConv,
}

impl EvenConv {
    /// Takes `NAME`, with as many frames out as in.
    pub(super) fn read(weights: &mut WeightReader, name: &str, kernels: [usize; 3]) -> Self {
        let [channels_out, _, kernel_size] = kernels;
        Self {
            weight: weights.take_kernels(name, kernels),
            bias: weights.take(&format!("{name}.bias"), [channels_out]),
            stride: 1,
            padding: kernel_size / 2,
            dilation: 1,
        }
    }

    /// Its kernels spread over wider input.
    pub(super) fn dilated(self, dilation: usize) -> Self {
        Self { padding: self.padding * dilation, dilation, ..self }
    }

    /// One frame out for `stride` in, of kernels over two strides.
    pub(super) fn strided(self, stride: usize) -> Self {
        Self { padding: stride.div_ceil(2), stride, ..self }
    }

    /// # Shapes
    /// - input: `[batch, channels_in, time]`
    /// - output: `[batch, channels_out, time / stride]`
    pub(super) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let options = ConvOptions::new([self.stride], [self.padding], [self.dilation], 1);
        conv1d(input, self.weight.clone(), Some(self.bias.clone()), options)
    }
}

impl EvenUpsampling {
    /// Takes `NAME` to half as many channels.
    pub(super) fn read(
        weights: &mut WeightReader,
        name: &str,
        channels_in: usize,
        stride: usize,
    ) -> Self {
        let channels_out = channels_in / 2;
        Self {
            weight: weights.take_kernels(name, [channels_in, channels_out, 2 * stride]),
            bias: weights.take(&format!("{name}.bias"), [channels_out]),
            stride,
        }
    }

    /// # Shapes
    /// - input: `[batch, channels_in, time]`
    /// - output: `[batch, channels_out, time * stride]`, one frame less where the stride is odd
    pub(super) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let padding = self.stride.div_ceil(2);
        let options = ConvTransposeOptions::new([self.stride], [padding], [0], [1], 1);
        conv_transpose1d(input, self.weight.clone(), Some(self.bias.clone()), options)
    }
}

impl Snake {
    pub(super) fn read(weights: &mut WeightReader, name: &str, channels: usize) -> Self {
        Self { frequency: weights.take(&format!("{name}.alpha"), [1, channels, 1]) }
    }

    pub(super) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let wave = (input.clone() * self.frequency.clone()).sin().square();
        input + wave / (self.frequency.clone() + LEAST_FREQUENCY)
    }
}

impl DacResidualUnit {
    /// How far a unit of each dilation sees to either side, all in a row.
    pub(super) const REACH: usize = 3 * (1 + 3 + 9);

    /// The three units of a block, whose dilations are 1, 3 and 9.
    pub(super) fn read_three(weights: &mut WeightReader, name: &str, channels: usize) -> Vec<Self> {
        let mut unit = |(index, dilation): (usize, usize)| {
            let name = format!("{name}.res_unit{}", index + 1);
            let mut snake = |part: &str| Snake::read(weights, &format!("{name}.{part}"), channels);
            let (before_dilated, before_mixing) = (snake("snake1"), snake("snake2"));
            let mut conv = |part: &str, kernel_size| {
                let kernels = [channels, channels, kernel_size];
                EvenConv::read(weights, &format!("{name}.{part}"), kernels)
            };
            Self {
                before_dilated,
                dilated: conv("conv1", 7).dilated(dilation),
                before_mixing,
                mixing: conv("conv2", 1),
            }
        };
        [1, 3, 9].into_iter().enumerate().map(&mut unit).collect()
    }

    /// # Shapes
    /// - input and output: `[batch, channels, time]`
    pub(super) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = self.dilated.forward(self.before_dilated.forward(input.clone()));
        input + self.mixing.forward(self.before_mixing.forward(hidden))
    }
}
