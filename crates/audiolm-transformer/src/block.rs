//! One layer of the stack.

use audiolm_nn::{gelu, product};
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::attention::{Attention, Relation};
use crate::decoder::DecoderConfig;
use crate::kv_cache::LayerCache;

/// Attention, then a feed-forward layer, each after a norm and beside a residual path.
///
/// As in T5, norms only scale (RMS) and no product has a bias; the feed-forward is plain, not
/// gated. Dropout falls on what each half adds.
#[derive(Module, Debug)]
pub struct Block {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_forward_norm: RmsNorm,
    expand: Linear,
    contract: Linear,
    dropout: Dropout,
}

impl Block {
    pub(crate) fn init(config: &DecoderConfig, device: &Device) -> Block {
        let DecoderConfig { d_model, n_heads, d_ff, .. } = *config;
        // Both halves of every layer add to one stream: scaled so, their sum starts at size 1.
        let output_std = (2.0 * config.n_layers as f64).powf(-0.5);
        let linear = |d_in: usize, d_out: usize, scale: f64| {
            let std = scale * (d_in as f64).powf(-0.5);
            LinearConfig::new(d_in, d_out)
                .with_bias(false)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .init(device)
        };
        Block {
            attention_norm: RmsNormConfig::new(d_model).init(device),
            attention: Attention::init(d_model, n_heads, output_std, device),
            feed_forward_norm: RmsNormConfig::new(d_model).init(device),
            expand: linear(d_model, d_ff, 1.0),
            contract: linear(d_ff, d_model, output_std),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(
        &self,
        input: Tensor<3>,
        relation: &Relation,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let attended =
            self.attention.forward(self.attention_norm.forward(input.clone()), relation, cache);
        let input = input + self.dropout.forward(attended);
        let normed = self.feed_forward_norm.forward(input.clone());
        let hidden = product(normed, self.expand.weight.val());
        let added = product(gelu(hidden), self.contract.weight.val());
        input + self.dropout.forward(added)
    }
}
