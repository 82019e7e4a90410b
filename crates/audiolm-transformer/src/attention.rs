//! Causal multi-head attention.

use audiolm_nn::{SeenKeys, native_attention, product};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::prelude::*;

use crate::clock::ClockFeatures;
use crate::kv_cache::{LayerCache, Seen};
use crate::position::CausalBias;

/// Queries that attend together.
///
/// A block only meets the keys up to its own end, so short blocks skip most of the future, and
/// their scores stay in the processor's cache between passes.
pub(crate) const BLOCK: usize = 128;

/// How the queries of a pass stand to the keys; the same in all layers.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// The bias of each block of queries, see [`bias_blocks`].
    pub(crate) bias: Vec<Tensor<4>>,
    /// When the new tokens sound, where that is known.
    pub(crate) clock: Option<ClockFeatures>,
}

/// Attention of every position to itself and to what came before it.
#[derive(Module, Debug)]
pub struct Attention {
    /// Queries, keys and values in one product.
    project: Linear,
    output: Linear,
    n_heads: usize,
}

impl Attention {
    /// Fresh weights; `output_std` scales those that write to the residual stream.
    pub(crate) fn init(
        d_model: usize,
        n_heads: usize,
        output_std: f64,
        device: &Device,
    ) -> Attention {
        let std = (d_model as f64).powf(-0.5);
        let linear = |d_out, std| {
            LinearConfig::new(d_model, d_out)
                .with_bias(false)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .init(device)
        };
        Attention {
            project: linear(3 * d_model, std),
            output: linear(d_model, std * output_std),
            n_heads,
        }
    }

    /// Attends within `input`, or, with a cache, also to all that the cache has seen; the cache
    /// then has seen `input` too.
    ///
    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(
        &self,
        input: Tensor<3>,
        relation: &Relation,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let [batch, time, d_model] = input.dims();
        let (queries, new) = self.projected(input, relation.clock.as_ref());
        let seen = match cache {
            Some(cache) => cache.append(new),
            None => new,
        };
        let attended = attend(queries, &seen, &relation.bias);
        let attended = attended.swap_dims(1, 2).reshape([batch, time, d_model]);
        product(attended, self.output.weight.val())
    }

    /// Scaled queries `[batch, heads, time, features]`, and what later queries may look at.
    fn projected(&self, input: Tensor<3>, clock: Option<&ClockFeatures>) -> (Tensor<4>, Seen) {
        let [batch, time, d_model] = input.dims();
        let d_head = d_model / self.n_heads;
        let all = product(input, self.project.weight.val());
        let part = |idx: usize| {
            all.clone()
                .slice_dim(2, idx * d_model..(idx + 1) * d_model)
                .reshape([batch, time, self.n_heads, d_head])
                .swap_dims(1, 2)
        };
        let mut queries = part(0) * (d_head as f64).powf(-0.5);
        let mut keys = part(1);
        if let Some(clock) = clock {
            queries = Tensor::cat(vec![queries, clock.queries.clone()], 3);
            keys = Tensor::cat(vec![keys, clock.keys.clone()], 3);
        }
        let ones = Tensor::ones([batch, self.n_heads, time, 1], &all.device());
        let values = Tensor::cat(vec![part(2), ones], 3);
        (queries, Seen { keys: keys.swap_dims(2, 3), values: values.swap_dims(2, 3) })
    }
}

/// `softmax(q·k + bias)·v` for queries that stand at the end of what was seen.
///
/// Each pass over the scores costs more than the products, so there are few: the softmax stays
/// unnormalised, and the product with the values, whose last feature is always 1, also returns the
/// sum to divide by.
///
/// # Shapes
/// - queries: `[batch, heads, time, features]`; output: `[batch, heads, time, d_head]`
fn attend(queries: Tensor<4>, seen: &Seen, bias: &[Tensor<4>]) -> Tensor<4> {
    let mut start = 0;
    let blocks = bias.iter().map(|bias| {
        let [_, _, rows, keys] = bias.dims();
        let block = queries.clone().slice_dim(2, start..start + rows);
        start += rows;
        attend_block(block, seen.first(keys), bias.clone())
    });
    let mut blocks: Vec<Tensor<4>> = blocks.collect();
    if blocks.len() == 1 { blocks.swap_remove(0) } else { Tensor::cat(blocks, 2) }
}

fn attend_block(queries: Tensor<4>, seen: Seen, bias: Tensor<4>) -> Tensor<4> {
    let [_, _, values, _] = seen.values.dims();
    let d_head = values - 1;
    let real_values = seen.values.clone().slice_dim(2, 0..d_head);
    let keys = SeenKeys { keys: seen.keys.clone(), values: real_values, bias: bias.clone() };
    if let Some(attended) = native_attention(&queries, &keys) {
        return attended;
    }
    let scores = queries.matmul(seen.keys) + bias;
    // Subtracting the greatest score changes no result, so no gradient need pass it.
    let greatest = scores.clone().detach().max_dim(3);
    let weights = (scores - greatest).exp();
    let sums = weights.matmul(seen.values.swap_dims(2, 3));
    sums.clone().slice_dim(3, 0..d_head) / sums.slice_dim(3, d_head..values)
}

/// The bias of each block of `time` queries that end the first `total` keys, in order.
///
/// The first block takes what is left over, so that all blocks end where the shared bias ends.
pub(crate) fn bias_blocks(bias: &CausalBias, time: usize, total: usize) -> Vec<Tensor<4>> {
    let past = total - time;
    let first = match time % BLOCK {
        0 => BLOCK.min(time),
        rest => rest,
    };
    let ends = (first..=time).step_by(BLOCK);
    ends.map(|end| bias.block(if end == first { first } else { BLOCK }, past + end)).collect()
}
