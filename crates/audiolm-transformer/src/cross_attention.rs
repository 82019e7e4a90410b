//! Attention to a condition.

use audiolm_nn::product;
use burn::nn::{Linear, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::attention::{QueryKeyNorm, attend_block, linear};
use crate::conditioner::Told;
use crate::decoder_config::DecoderConfig;
use crate::heads::Heads;
use crate::kv_cache::Seen;

/// Attention of every position to all vectors of a condition, which has no order but its own.
#[derive(Module, Debug)]
pub struct CrossAttention {
    norm: RmsNorm,
    query: Linear,
    /// Keys and values in one product.
    key_value: Linear,
    output: Linear,
    query_key_norm: Option<QueryKeyNorm>,
    #[module(skip)]
    heads: Heads,
}

/// What one layer sees of the conditions of a batch.
#[derive(Debug, Clone)]
pub(crate) struct CrossSeen {
    pub(crate) seen: Seen,
    /// What keeps sequences from seeing filling, `[batch, 1, 1, keys]`, if there is any.
    pub(crate) hidden: Option<Tensor<4>>,
}

impl CrossAttention {
    /// Fresh weights; `output_std` scales those that write to the residual stream.
    pub(crate) fn init(config: &DecoderConfig, output_std: f64, device: &Device) -> Self {
        let (d_model, heads) = (config.d_model, Heads::of(config));
        Self {
            norm: RmsNormConfig::new(d_model).init(device),
            query: linear([d_model, heads.d_queries()], 1.0, device),
            key_value: linear([d_model, 2 * heads.d_keys()], 1.0, device),
            output: linear([heads.d_queries(), d_model], output_std, device),
            query_key_norm: config.query_key_norm.then(|| QueryKeyNorm::init(heads.d_head, device)),
            heads,
        }
    }

    /// The keys and values of conditions, the same for every position that looks at them.
    pub(crate) fn seen(&self, told: &Told) -> CrossSeen {
        let Heads { n_kv_heads, .. } = self.heads;
        let both = product(told.vectors.clone(), self.key_value.weight.val());
        let mut keys = self.heads.part(&both, 0, n_kv_heads);
        if let Some(norm) = &self.query_key_norm {
            keys = norm.keys(keys);
        }
        let values = self.heads.part(&both, self.heads.d_keys(), n_kv_heads);
        CrossSeen { seen: Seen::new(keys, values), hidden: told.hidden.clone() }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>, told: &CrossSeen) -> Tensor<3> {
        let projected = product(self.norm.forward(input), self.query.weight.val());
        let mut queries = self.heads.part(&projected, 0, self.heads.n_heads);
        if let Some(norm) = &self.query_key_norm {
            queries = norm.queries(queries);
        }
        let queries = queries * (self.heads.d_head as f64).powf(-0.5);
        let attended = attend_block(queries, told.seen.clone(), told.hidden.clone());
        product(self.heads.merged(attended), self.output.weight.val())
    }
}
