//! A causal transposed convolution over two strides.

use audiolm_nn::WeightReader;
use burn::prelude::*;
use burn::tensor::module::conv_transpose1d;
use burn::tensor::ops::ConvTransposeOptions;

/// Raises the frame rate `stride` times; each output depends on its own input frame and the one
/// before.
#[derive(Debug, Clone)]
pub(crate) struct UpsamplingConv {
    /// `[channels_in, channels_out / groups, 2 * stride]`
    pub(crate) weight: Tensor<3>,
    pub(crate) bias: Option<Tensor<1>>,
    pub(crate) groups: usize,
}

/// The input frame a stream carries from one chunk to the next, once there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpsamplingConvState(Option<Tensor<3>>);

impl UpsamplingConv {
    /// Takes `NAME.conv` to half as many channels, with a bias.
    pub(crate) fn read(
        weights: &mut WeightReader,
        name: &str,
        channels_in: usize,
        stride: usize,
    ) -> Self {
        let channels_out = channels_in / 2;
        let kernels = [channels_in, channels_out, 2 * stride];
        Self {
            weight: weights.take_kernels(&format!("{name}.conv"), kernels),
            bias: Some(weights.take(&format!("{name}.conv.bias"), [channels_out])),
            groups: 1,
        }
    }

    /// # Shapes
    /// - chunk: `[batch, channels_in, time]`
    /// - output: `[batch, channels_out, time * stride]`
    pub(crate) fn step(&self, chunk: Tensor<3>, state: &mut UpsamplingConvState) -> Tensor<3> {
        let [batch, channels_in, time] = chunk.dims();
        let stride = self.weight.dims()[2] / 2;
        let silence = || Tensor::zeros([batch, channels_in, 1], &chunk.device());
        let past = state.0.take().unwrap_or_else(silence);
        let seen = Tensor::cat(vec![past, chunk], 2);
        state.0 = Some(seen.clone().slice_dim(2, time..));
        let options = ConvTransposeOptions::new([stride], [0], [0], [1], self.groups);
        let spread = conv_transpose1d(seen, self.weight.clone(), self.bias.clone(), options);
        spread.slice_dim(2, stride..(time + 1) * stride)
    }
}
