//! Causal attention with several heads.

use audiolm_nn::{SeenKeys, native_attention, product};
use burn::nn::{Initializer, Linear, LinearConfig, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::clock::ClockFeatures;
use crate::decoder_config::DecoderConfig;
use crate::heads::Heads;
use crate::kv_cache::{LayerCache, Seen};
use crate::position::CausalBias;
use crate::rotary::Angles;

/// Queries that attend together.
///
/// A block only meets the keys up to its own end, so short blocks skip most of the future, and
/// their scores stay in the processor's cache between passes.
pub(crate) const BLOCK: usize = 128;

/// What is added to the score of a key that one sequence of a batch must not see. Finite, for a
/// query that may see nothing else, such as one of filling, must come to some number.
pub(crate) const UNSEEN: f32 = -1e9;

/// How the queries of a pass stand to the keys; the same in all layers.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// The bias of each block of queries, see [`bias_blocks`].
    pub(crate) bias: Vec<Tensor<4>>,
    /// How the new tokens are turned, where their position is told so.
    pub(crate) angles: Option<Angles>,
    /// When the new tokens sound, where that is known.
    pub(crate) clock: Option<ClockFeatures>,
    /// What keeps sequences from seeing some of the keys, `[batch, 1, 1, keys]`, if anything.
    pub(crate) hidden: Option<Tensor<4>>,
}

/// Attention of every position to itself and to what came before it.
#[derive(Module, Debug)]
pub struct Attention {
    /// Queries, keys and values in one product.
    project: Linear,
    output: Linear,
    norm: Option<QueryKeyNorm>,
    #[module(skip)]
    heads: Heads,
}

/// Brings queries and keys to one size, head by head, each feature with a learnt scale.
#[derive(Module, Debug)]
pub struct QueryKeyNorm {
    queries: RmsNorm,
    keys: RmsNorm,
}

impl Attention {
    /// Fresh weights; `output_std` scales those that write to the residual stream.
    pub(crate) fn init(config: &DecoderConfig, output_std: f64, device: &Device) -> Attention {
        let (d_model, heads) = (config.d_model, Heads::of(config));
        Attention {
            project: linear([d_model, heads.d_queries() + 2 * heads.d_keys()], 1.0, device),
            output: linear([heads.d_queries(), d_model], output_std, device),
            norm: config.query_key_norm.then(|| QueryKeyNorm::init(heads.d_head, device)),
            heads,
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
        let (queries, new) = self.projected(input, relation);
        let seen = match cache {
            Some(cache) => cache.append(new),
            None => new,
        };
        let attended = attend(queries, &seen, relation);
        product(self.heads.merged(attended), self.output.weight.val())
    }

    /// Scaled queries `[batch, heads, time, features]`, and what later queries may look at.
    fn projected(&self, input: Tensor<3>, relation: &Relation) -> (Tensor<4>, Seen) {
        let Heads { n_heads, n_kv_heads, d_head } = self.heads;
        let (d_queries, d_keys) = (self.heads.d_queries(), self.heads.d_keys());
        let all = product(input, self.project.weight.val());
        let mut queries = self.heads.part(&all, 0, n_heads);
        let mut keys = self.heads.part(&all, d_queries, n_kv_heads);
        let values = self.heads.part(&all, d_queries + d_keys, n_kv_heads);
        if let Some(norm) = &self.norm {
            (queries, keys) = (norm.queries(queries), norm.keys(keys));
        }
        if let Some(angles) = &relation.angles {
            (queries, keys) = (angles.turn(queries), angles.turn(keys));
        }
        queries = queries * (d_head as f64).powf(-0.5);
        if let Some(clock) = &relation.clock {
            (queries, keys) = clock.beside(queries, keys);
        }
        (queries, Seen::new(keys, values))
    }
}

impl QueryKeyNorm {
    pub(crate) fn init(d_head: usize, device: &Device) -> Self {
        let norm = || RmsNormConfig::new(d_head).init(device);
        Self { queries: norm(), keys: norm() }
    }

    /// # Shapes
    /// - queries, output: `[batch, heads, time, d_head]`
    pub(crate) fn queries(&self, queries: Tensor<4>) -> Tensor<4> {
        self.queries.forward(queries)
    }

    /// # Shapes
    /// - keys, output: `[batch, heads, time, d_head]`
    pub(crate) fn keys(&self, keys: Tensor<4>) -> Tensor<4> {
        self.keys.forward(keys)
    }
}

/// A product without a bias that keeps the size of what it is given, times `scale`.
pub(crate) fn linear([d_in, d_out]: [usize; 2], scale: f64, device: &Device) -> Linear {
    let std = scale * (d_in as f64).powf(-0.5);
    LinearConfig::new(d_in, d_out)
        .with_bias(false)
        .with_initializer(Initializer::Normal { mean: 0.0, std })
        .init(device)
}

/// [`attend_block`], block by block, of queries that stand at the end of what was seen.
///
/// # Shapes
/// - queries: `[batch, heads, time, features]`; output: `[batch, heads, time, d_head]`
fn attend(queries: Tensor<4>, seen: &Seen, relation: &Relation) -> Tensor<4> {
    let mut start = 0;
    let blocks = relation.bias.iter().map(|bias| {
        let [_, _, rows, keys] = bias.dims();
        let block = queries.clone().slice_dim(2, start..start + rows);
        start += rows;
        let bias = match &relation.hidden {
            Some(hidden) => bias.clone() + hidden.clone().slice_dim(3, 0..keys),
            None => bias.clone(),
        };
        attend_block(block, seen.first(keys), Some(bias))
    });
    let mut blocks: Vec<Tensor<4>> = blocks.collect();
    if blocks.len() == 1 { blocks.swap_remove(0) } else { Tensor::cat(blocks, 2) }
}

/// `softmax(q·k + bias)·v`.
///
/// Each pass over the scores costs more than the products, so there are few: the softmax stays
/// unnormalised, and the product with the values, whose last feature is always 1, also returns the
/// sum to divide by.
///
/// # Shapes
/// - queries: `[batch, heads, time, features]`; output: `[batch, heads, time, d_head]`
/// - bias: `[batch, heads, time, keys]`, or 1 in the place of the first two
pub(crate) fn attend_block(queries: Tensor<4>, seen: Seen, bias: Option<Tensor<4>>) -> Tensor<4> {
    let [_, n_heads, _, _] = queries.dims();
    let [_, n_kv_heads, values, _] = seen.values.dims();
    let d_head = values - 1;
    if let Some(attended) = attended_natively(&queries, &seen, bias.as_ref()) {
        return attended;
    }
    let scores = regrouped(regrouped(queries, n_kv_heads).matmul(seen.keys), n_heads);
    let scores = match bias {
        Some(bias) => scores + bias,
        None => scores,
    };
    // Subtracting the greatest score changes no result, so no gradient need pass it.
    let greatest = scores.clone().detach().max_dim(3);
    let weights = regrouped((scores - greatest).exp(), n_kv_heads);
    let sums = regrouped(weights.matmul(seen.values.swap_dims(2, 3)), n_heads);
    sums.clone().slice_dim(3, 0..d_head) / sums.slice_dim(3, d_head..values)
}

/// The same by a kernel of the backend, where it has one.
fn attended_natively(
    queries: &Tensor<4>,
    seen: &Seen,
    bias: Option<&Tensor<4>>,
) -> Option<Tensor<4>> {
    let [_, _, values, time] = seen.values.dims();
    let no_bias = || Tensor::zeros([1, 1, 1, time], &queries.device());
    let seen = SeenKeys {
        keys: seen.keys.clone(),
        values: seen.values.clone().slice_dim(2, 0..values - 1),
        bias: bias.cloned().unwrap_or_else(no_bias),
    };
    native_attention(queries, &seen)
}

/// The same rows as those of `n_heads` heads: queries that share keys form one longer matrix, so
/// that keys are read once for all of them.
fn regrouped(rows: Tensor<4>, n_heads: usize) -> Tensor<4> {
    let [batch, heads, time, features] = rows.dims();
    if heads == n_heads {
        return rows;
    }
    rows.reshape([batch, n_heads, heads * time / n_heads, features])
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
