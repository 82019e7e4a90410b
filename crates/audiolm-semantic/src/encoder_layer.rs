//! One layer of the transformer.

use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use burn::tensor::activation::gelu;

use crate::HubertConfig;
use crate::attention::SelfAttention;
use crate::linear::bert_linear;

/// Attention, then a feed-forward block; each is followed by its residual sum and a norm.
#[derive(Module, Debug)]
pub struct EncoderLayer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    feed_forward_in: Linear,
    feed_forward_out: Linear,
    feed_forward_norm: LayerNorm,
    dropout: Dropout,
}

impl EncoderLayer {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let norm = LayerNormConfig::new(config.d_model);
        Self {
            attention: SelfAttention::new(config, device),
            attention_norm: norm.init(device),
            feed_forward_in: bert_linear(config.d_model, config.d_feed_forward, device),
            feed_forward_out: bert_linear(config.d_feed_forward, config.d_model, device),
            feed_forward_norm: norm.init(device),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let attended = self.dropout.forward(self.attention.forward(input.clone()));
        let hidden = self.attention_norm.forward(input + attended);

        let inner = gelu(self.feed_forward_in.forward(hidden.clone()));
        let outer = self.dropout.forward(self.feed_forward_out.forward(inner));
        self.feed_forward_norm.forward(hidden + outer)
    }
}
