//! One conformer layer.

use burn::nn::{LayerNorm, LayerNormConfig};
use burn::prelude::*;

use super::attention::RelativeAttention;
use super::convolution::ConvolutionBlock;
use super::feed_forward::FeedForward;
use crate::ConformerConfig;
use crate::clips::FrameMask;

/// Half a feed-forward block, attention, a convolution and the other half, each added to what went
/// in, then a norm (Gulati et al. 2020, arXiv 2005.08100, equation 1).
#[derive(Module, Debug)]
pub struct ConformerLayer {
    pub(crate) first: FeedForward,
    pub(crate) attention: RelativeAttention,
    pub(crate) convolution: ConvolutionBlock,
    pub(crate) second: FeedForward,
    pub(crate) norm: LayerNorm,
}

/// What all layers of one pass share.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Added to scores, so that no frame attends to one beyond its clip's end: `[batch, 1, 1, time]`
    pub(crate) beyond: Option<Tensor<4>>,
    pub(crate) mask: Option<FrameMask>,
}

impl ConformerLayer {
    pub(crate) fn new(config: &ConformerConfig, device: &Device) -> Self {
        Self {
            first: FeedForward::new(config, device),
            attention: RelativeAttention::new(config, device),
            convolution: ConvolutionBlock::new(config, device),
            second: FeedForward::new(config, device),
            norm: LayerNormConfig::new(config.d_model).init(device),
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>, around: &Surroundings) -> Tensor<3> {
        let hidden = input.clone() + self.first.forward(input) * 0.5;
        let hidden = hidden.clone() + self.attention.forward(hidden, around.beyond.as_ref());
        let hidden = hidden.clone() + self.convolution.forward(hidden, around.mask.as_ref());
        let hidden = hidden.clone() + self.second.forward(hidden) * 0.5;
        self.norm.forward(hidden)
    }
}
