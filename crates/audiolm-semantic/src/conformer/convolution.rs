//! The convolution of a layer.

use audiolm_nn::silu;
use burn::module::Param;
use burn::nn::{Dropout, DropoutConfig, Initializer, LayerNorm, LayerNormConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;

use super::config::ConvPadding;
use crate::ConformerConfig;
use crate::clips::FrameMask;

/// A gated linear unit, a convolution of each channel by itself over time, a swish and a linear map,
/// without biases (Gulati et al. 2020, arXiv 2005.08100, section 2.2; with a layer norm in place of
/// the batch norm and, unless told otherwise, causal, as w2v-BERT 2.0 has it).
#[derive(Module, Debug)]
pub struct ConvolutionBlock {
    pub(crate) norm: LayerNorm,
    /// What passes, then what gates it: `[d_model, 2 * d_model]`
    pub(crate) gated: Param<Tensor<2>>,
    /// `[d_model, 1, kernel_size]`
    pub(crate) kernels: Param<Tensor<3>>,
    pub(crate) kernel_norm: LayerNorm,
    /// `[d_model, d_model]`
    pub(crate) mixed: Param<Tensor<2>>,
    dropout: Dropout,
    #[module(skip)]
    padding: ConvPadding,
}

impl ConvolutionBlock {
    pub(crate) fn new(config: &ConformerConfig, device: &Device) -> Self {
        let ConformerConfig { d_model, conv_kernel_size: taps, .. } = *config;
        let he = Initializer::KaimingNormal { gain: 2f64.sqrt(), fan_out_only: false };
        let product = |width| he.init_with([d_model, width], Some(d_model), None, device);
        Self {
            norm: LayerNormConfig::new(d_model).init(device),
            gated: product(2 * d_model),
            kernels: he.init_with([d_model, 1, taps], Some(taps), None, device),
            kernel_norm: LayerNormConfig::new(d_model).init(device),
            mixed: product(d_model),
            dropout: DropoutConfig::new(config.dropout).init(),
            padding: config.conv_padding,
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>, mask: Option<&FrameMask>) -> Tensor<3> {
        let d_model = input.dims()[2];
        let input = self.norm.forward(input);
        let input = match mask {
            Some(mask) => mask.silenced(input),
            None => input,
        };
        let gated = input.matmul(self.gated.val().unsqueeze());
        let gate = sigmoid(gated.clone().narrow(2, d_model, d_model));
        let convolved = self.convolved(gated.narrow(2, 0, d_model) * gate);
        let output = silu(self.kernel_norm.forward(convolved)).matmul(self.mixed.val().unsqueeze());
        self.dropout.forward(output)
    }

    fn convolved(&self, input: Tensor<3>) -> Tensor<3> {
        let [channels, _, taps] = self.kernels.dims();
        let padded = input.swap_dims(1, 2).pad([self.padding.frames(taps)], 0.0);
        let options = ConvOptions::new([1], [0], [1], channels);
        conv1d(padded, self.kernels.val(), None, options).swap_dims(1, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    /// Checks in which frames anything changes where frame 5 of 9 does.
    #[track_caller]
    fn check_reach(conv_padding: ConvPadding, conv_kernel_size: usize, expected: &[usize]) {
        let device = Device::default();
        let config = ConformerConfig {
            conv_padding,
            conv_kernel_size,
            dropout: 0.0,
            ..ConformerConfig::new(8, 1, 1, 8)
        };
        let block = ConvolutionBlock::new(&config, &device);
        let frames = Tensor::<3>::random([1, 9, 8], Distribution::Default, &device);
        let changed = frames.clone().slice_assign([0..1, 5..6], frames.clone().narrow(1, 4, 1));
        let [before, after] = [frames, changed].map(|it| block.forward(it, None));
        let change = (after - before).abs().sum_dim(2).into_data();
        let change = change.iter::<f32>().enumerate().filter(|(_, it)| *it > 0.0);
        assert_eq!(change.map(|(frame, _)| frame).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn padding_says_which_frames_are_seen() {
        check_reach(ConvPadding::Causal, 3, &[5, 6, 7]);
        check_reach(ConvPadding::Same, 3, &[4, 5, 6]);
        check_reach(ConvPadding::Same, 4, &[3, 4, 5, 6]);
        check_reach(ConvPadding::Same, 1, &[5]);
    }
}
