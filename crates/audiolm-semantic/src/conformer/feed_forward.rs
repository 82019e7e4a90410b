//! One of the two feed-forward blocks of a layer.

use audiolm_nn::silu;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use crate::ConformerConfig;
use crate::linear::bert_linear;

/// A norm, and two linear maps around a swish.
#[derive(Module, Debug)]
pub struct FeedForward {
    pub(crate) norm: LayerNorm,
    pub(crate) inner: Linear,
    pub(crate) outer: Linear,
    dropout: Dropout,
}

impl FeedForward {
    pub(crate) fn new(config: &ConformerConfig, device: &Device) -> Self {
        Self {
            norm: LayerNormConfig::new(config.d_model).init(device),
            inner: bert_linear(config.d_model, config.d_feed_forward, device),
            outer: bert_linear(config.d_feed_forward, config.d_model, device),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let inner = silu(self.inner.forward(self.norm.forward(input)));
        self.dropout.forward(self.outer.forward(inner))
    }
}
