//! One layer of the stack.

use audiolm_nn::{gelu, product};
use burn::nn::{Dropout, DropoutConfig, Linear, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::attention::{Attention, Relation, linear};
use crate::condition::Conditioning;
use crate::conditioner::Told;
use crate::cross_attention::{CrossAttention, CrossSeen};
use crate::decoder_config::{DecoderConfig, FeedForward};
use crate::kv_cache::LayerCache;

/// Attention, then a feed-forward layer, each after a norm and beside a residual path; between
/// them, where a stack is told so, attention to a condition.
///
/// As in T5, norms only scale (RMS) and no product has a bias. Dropout falls on what each part
/// adds.
#[derive(Module, Debug)]
pub struct Block {
    attention_norm: RmsNorm,
    attention: Attention,
    cross_attention: Option<CrossAttention>,
    feed_forward_norm: RmsNorm,
    expand: Linear,
    contract: Linear,
    dropout: Dropout,
    #[module(skip)]
    feed_forward: FeedForward,
}

impl Block {
    pub(crate) fn init(config: &DecoderConfig, device: &Device) -> Block {
        let DecoderConfig { d_model, d_ff, feed_forward, .. } = *config;
        let crosses = config.condition.is_some_and(|it| it.by == Conditioning::CrossAttention);
        // All parts of every layer add to one stream: scaled so, their sum starts at size 1.
        let n_parts = if crosses { 3.0 } else { 2.0 };
        let output_std = (n_parts * config.n_layers as f64).powf(-0.5);
        let n_halves = match feed_forward {
            FeedForward::Plain => 1,
            FeedForward::Gated => 2,
        };
        Block {
            attention_norm: RmsNormConfig::new(d_model).init(device),
            attention: Attention::init(config, output_std, device),
            cross_attention: crosses.then(|| CrossAttention::init(config, output_std, device)),
            feed_forward_norm: RmsNormConfig::new(d_model).init(device),
            expand: linear([d_model, n_halves * d_ff], 1.0, device),
            contract: linear([d_ff, d_model], output_std, device),
            dropout: DropoutConfig::new(config.dropout).init(),
            feed_forward,
        }
    }

    /// What this layer sees of conditions, where it looks at any.
    pub(crate) fn cross_seen(&self, told: &Told) -> Option<CrossSeen> {
        self.cross_attention.as_ref().map(|it| it.seen(told))
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(
        &self,
        input: Tensor<3>,
        relation: &Relation,
        told: Option<&CrossSeen>,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let attended =
            self.attention.forward(self.attention_norm.forward(input.clone()), relation, cache);
        let mut stream = input + self.dropout.forward(attended);
        if let (Some(cross), Some(told)) = (&self.cross_attention, told) {
            let attended = cross.forward(stream.clone(), told);
            stream = stream + self.dropout.forward(attended);
        }
        let added = self.fed_forward(self.feed_forward_norm.forward(stream.clone()));
        stream + self.dropout.forward(added)
    }

    fn fed_forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = product(input, self.expand.weight.val());
        let hidden = match self.feed_forward {
            FeedForward::Plain => gelu(hidden),
            FeedForward::Gated => {
                let halves = hidden.chunk(2, 2);
                halves[0].clone() * gelu(halves[1].clone())
            }
        };
        product(hidden, self.contract.weight.val())
    }
}
