//! One layer of the transformer.

use audiolm_nn::gelu;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use crate::attention::{ScoreBias, SelfAttention};
use crate::linear::bert_linear;
use crate::{HubertConfig, NormPlacement};

/// Attention, then a feed-forward block, each added to what went in; norms come after the sums or
/// before the blocks.
#[derive(Module, Debug)]
pub struct TransformerLayer {
    pub(crate) attention: SelfAttention,
    pub(crate) attention_norm: LayerNorm,
    pub(crate) feed_forward_in: Linear,
    pub(crate) feed_forward_out: Linear,
    pub(crate) feed_forward_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    norms: NormPlacement,
}

impl TransformerLayer {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let norm = LayerNormConfig::new(config.d_model);
        Self {
            attention: SelfAttention::new(config, device),
            attention_norm: norm.init(device),
            feed_forward_in: bert_linear(config.d_model, config.d_feed_forward, device),
            feed_forward_out: bert_linear(config.d_feed_forward, config.d_model, device),
            feed_forward_norm: norm.init(device),
            dropout: DropoutConfig::new(config.dropout).init(),
            norms: config.norm_placement,
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>, bias: &ScoreBias) -> Tensor<3> {
        match self.norms {
            NormPlacement::After => {
                let attended = self.attended(input.clone(), bias);
                let hidden = self.attention_norm.forward(input + attended);
                self.feed_forward_norm.forward(hidden.clone() + self.fed_forward(hidden))
            }
            NormPlacement::Before => {
                let attended = self.attended(self.attention_norm.forward(input.clone()), bias);
                let hidden = input + attended;
                let inner = self.feed_forward_norm.forward(hidden.clone());
                hidden + self.fed_forward(inner)
            }
        }
    }

    fn attended(&self, input: Tensor<3>, bias: &ScoreBias) -> Tensor<3> {
        self.dropout.forward(self.attention.forward(input, bias))
    }

    fn fed_forward(&self, input: Tensor<3>) -> Tensor<3> {
        let inner = gelu(self.feed_forward_in.forward(input));
        self.dropout.forward(self.feed_forward_out.forward(inner))
    }
}
