//! Where in the clip a frame is, told by its neighbours.

use audiolm_nn::{PlaneConvolution, gelu};
use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

use crate::HubertConfig;

/// A wide grouped convolution whose output stands in for position embeddings (wav2vec 2.0,
/// Baevski et al. 2020, arXiv 2006.11477).
///
/// Its weight is `magnitude · direction / |direction|`, with one length for each tap: the norm is
/// taken over both channel axes.
#[derive(Module, Debug)]
pub struct PositionalConv {
    /// `[d_model, d_model / groups, kernel_size]`
    pub(crate) direction: Param<Tensor<3>>,
    /// `[1, 1, kernel_size]`
    pub(crate) magnitude: Param<Tensor<3>>,
    /// `[d_model]`
    pub(crate) bias: Param<Tensor<1>>,
    groups: usize,
}

impl PositionalConv {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let HubertConfig {
            d_model,
            position_kernel_size: kernel_size,
            position_groups: groups,
            ..
        } = *config;
        // As in fairseq.
        let std = (4.0 / (kernel_size * d_model) as f64).sqrt();
        let direction: Param<Tensor<3>> = Initializer::Normal { mean: 0.0, std }
            .init([d_model, d_model / groups, kernel_size], device);
        let magnitude = Param::from_tensor(length_of_taps(direction.val()).detach());
        let bias = Initializer::Zeros.init([d_model], device);
        Self { direction, magnitude, bias, groups }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let time = input.dims()[1];
        let weight = self.weight();
        let kernel_size = weight.dims()[2];
        let over_one_row = PlaneConvolution {
            kernel: [1, kernel_size],
            stride: [1, 1],
            padding: [0, kernel_size / 2],
            row_dilation: 1,
            groups: self.groups,
        };
        let (row, weight) = (input.unsqueeze_dim(1), weight.unsqueeze_dim(2));
        let convolved = over_one_row.forward(row, weight, self.bias.val()).squeeze_dim::<3>(1);
        // An even kernel gives a frame too many.
        gelu(convolved.narrow(1, 0, time))
    }

    /// Width of what goes in and comes out.
    pub(crate) fn d_model(&self) -> usize {
        self.bias.dims()[0]
    }

    fn weight(&self) -> Tensor<3> {
        let direction = self.direction.val();
        let scale = self.magnitude.val() / length_of_taps(direction.clone());
        direction * scale
    }
}

fn length_of_taps(direction: Tensor<3>) -> Tensor<3> {
    direction.square().sum_dims(&[0, 1]).sqrt()
}
