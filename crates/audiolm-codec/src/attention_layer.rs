//! One layer of local attention.

use burn::nn::{Initializer, Linear, LinearConfig, RmsNorm, RmsNormConfig};
use burn::prelude::*;
use burn::tensor::activation::{gelu, softmax};

use crate::window_bias::BlockBias;

/// How much wider the feed-forward layer is than a frame's vector, as in most transformers.
const EXPANSION: usize = 4;

/// Attention to a window of frames, then a feed-forward layer, each after a norm and beside a
/// residual path.
#[derive(Module, Debug)]
pub struct AttentionLayer {
    attention_norm: RmsNorm,
    /// Queries, keys and values in one product.
    project: Linear,
    output: Linear,
    feed_forward_norm: RmsNorm,
    expand: Linear,
    contract: Linear,
    n_heads: usize,
}

/// The keys and values that later frames may still look at, at most a window less one frame of
/// them: `[batch, heads, past, d_head]`. Nothing before the first frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct AttentionLayerState(Option<Seen>);

#[derive(Debug, Clone)]
struct Seen {
    keys: Tensor<4>,
    values: Tensor<4>,
}

impl AttentionLayer {
    /// A layer that adds nothing to its input before it has learnt to.
    pub(crate) fn new(dimension: usize, n_heads: usize, device: &Device) -> Self {
        let linear = |from: usize, to: usize| {
            let std = (from as f64).powf(-0.5);
            LinearConfig::new(from, to)
                .with_bias(false)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
        };
        let silent = |config: LinearConfig| config.with_initializer(Initializer::Zeros);
        let wide = EXPANSION * dimension;
        Self {
            attention_norm: RmsNormConfig::new(dimension).init(device),
            project: linear(dimension, 3 * dimension).init(device),
            output: silent(linear(dimension, dimension)).init(device),
            feed_forward_norm: RmsNormConfig::new(dimension).init(device),
            expand: linear(dimension, wide).init(device),
            contract: silent(linear(wide, dimension)).init(device),
            n_heads,
        }
    }

    /// # Shapes
    /// - chunk and output: `[batch, time, dimension]`
    pub(crate) fn step(
        &self,
        chunk: Tensor<3>,
        window: &Window,
        state: &mut AttentionLayerState,
    ) -> Tensor<3> {
        let attended = self.attended(self.attention_norm.forward(chunk.clone()), window, state);
        let hidden = chunk + self.output.forward(attended);
        let wide = self.expand.forward(self.feed_forward_norm.forward(hidden.clone()));
        hidden + self.contract.forward(gelu(wide))
    }

    fn attended(
        &self,
        chunk: Tensor<3>,
        window: &Window,
        state: &mut AttentionLayerState,
    ) -> Tensor<3> {
        let [batch, time, dimension] = chunk.dims();
        let d_head = dimension / self.n_heads;
        let all = self.project.forward(chunk);
        let part = |idx: usize| {
            let part = all.clone().slice_dim(2, idx * dimension..(idx + 1) * dimension);
            part.reshape([batch, time, self.n_heads, d_head]).swap_dims(1, 2)
        };
        let queries = part(0) * (d_head as f64).powf(-0.5);
        let seen = Seen { keys: part(1), values: part(2) }.after(state.0.take());
        let attended = window.attend(queries, &seen);
        state.0 = Some(seen.last(window.frames - 1));
        attended.swap_dims(1, 2).reshape([batch, time, dimension])
    }
}

/// How far back each frame of a chunk looks; the same in all layers.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Frames that a frame sees, its own included.
    pub(crate) frames: usize,
    /// Of as many queries as a block holds, or fewer.
    pub(crate) bias: BlockBias,
}

impl Window {
    /// `softmax(q·k + bias)·v` for queries that end what was seen.
    ///
    /// Queries attend in blocks as long as the window, so that the scores of a long wave take no
    /// more memory than those of two windows.
    ///
    /// # Shapes
    /// - queries and output: `[batch, heads, time, d_head]`
    fn attend(&self, queries: Tensor<4>, seen: &Seen) -> Tensor<4> {
        let [_, _, time, _] = queries.dims();
        let past = seen.len() - time;
        let blocks = (0..time).step_by(self.frames).map(|start| {
            let end = (start + self.frames).min(time);
            let first = (past + start).saturating_sub(self.frames - 1);
            let visible = seen.slice(first..past + end);
            let bias = self.bias.of(end - start, visible.len());
            let scores = queries.clone().slice_dim(2, start..end);
            let scores = scores.matmul(visible.keys.swap_dims(2, 3)) + bias;
            softmax(scores, 3).matmul(visible.values)
        });
        Tensor::cat(blocks.collect(), 2)
    }
}

impl AttentionLayerState {
    /// How many frames it still knows.
    pub(crate) fn past(&self) -> usize {
        self.0.as_ref().map_or(0, Seen::len)
    }

    pub(crate) fn n_numbers(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |it| it.keys.shape().num_elements() + it.values.shape().num_elements())
    }
}

impl Seen {
    fn len(&self) -> usize {
        self.keys.dims()[2]
    }

    fn after(self, past: Option<Seen>) -> Self {
        match past {
            None => self,
            Some(past) => Self {
                keys: Tensor::cat(vec![past.keys, self.keys], 2),
                values: Tensor::cat(vec![past.values, self.values], 2),
            },
        }
    }

    fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            keys: self.keys.clone().slice_dim(2, range.clone()),
            values: self.values.clone().slice_dim(2, range),
        }
    }

    fn last(&self, frames: usize) -> Self {
        self.slice(self.len().saturating_sub(frames)..self.len())
    }
}
