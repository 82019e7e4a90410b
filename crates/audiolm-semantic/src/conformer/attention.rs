//! Attention that knows how far away each frame is.

use burn::module::Param;
use burn::nn::{Dropout, DropoutConfig, Initializer, LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use burn::tensor::activation::softmax;

use crate::ConformerConfig;
use crate::linear::bert_linear;

/// Self-attention whose keys have a learnt vector for each distance added (Shaw et al. 2018, arXiv
/// 1803.02155, equation 4): one for all that lie further back than the first, and one for all
/// further ahead than the last.
#[derive(Module, Debug)]
pub struct RelativeAttention {
    pub(crate) norm: LayerNorm,
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    /// `[n_distances, d_head]`, from the furthest back to the furthest ahead.
    pub(crate) distances: Param<Tensor<2>>,
    dropout: Dropout,
    n_heads: usize,
}

/// What all layers of one pass share: which vector each key has for each query, and which keys lie
/// beyond a clip's end.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// `[1, 1, time, time]`
    distances: Tensor<4, Int>,
    /// Added to scores: `[batch, 1, 1, time]`
    beyond: Option<Tensor<4>>,
}

impl Keys {
    pub(crate) fn new(
        config: &ConformerConfig,
        time: usize,
        beyond: Option<Tensor<4>>,
        device: &Device,
    ) -> Self {
        let (before, after) = (config.frames_before as i64, config.frames_after as i64);
        let mut distances = Vec::with_capacity(time * time);
        for query in 0..time as i64 {
            distances
                .extend((0..time as i64).map(|key| (key - query).clamp(-before, after) + before));
        }
        let distances = TensorData::new(distances, [1, 1, time, time]);
        Self { distances: Tensor::from_data(distances, device), beyond }
    }
}

impl RelativeAttention {
    pub(crate) fn new(config: &ConformerConfig, device: &Device) -> Self {
        let ConformerConfig { d_model, n_heads, .. } = *config;
        let linear = || bert_linear(d_model, d_model, device);
        let normal = Initializer::Normal { mean: 0.0, std: 0.02 };
        Self {
            norm: LayerNormConfig::new(d_model).init(device),
            query: linear(),
            key: linear(),
            value: linear(),
            output: linear(),
            distances: normal.init([config.n_distances(), d_model / n_heads], device),
            dropout: DropoutConfig::new(config.dropout).init(),
            n_heads,
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>, keys: &Keys) -> Tensor<3> {
        let [batch, time, d_model] = input.dims();
        let d_head = d_model / self.n_heads;
        let heads = |it: Tensor<3>| it.reshape([batch, time, self.n_heads, d_head]).swap_dims(1, 2);
        let input = self.norm.forward(input);
        let query = heads(self.query.forward(input.clone()) * (d_head as f64).powf(-0.5));
        let key = heads(self.key.forward(input.clone()));
        let value = heads(self.value.forward(input));

        let mut scores = query.clone().matmul(key.transpose()) + self.scores(query, keys);
        if let Some(beyond) = &keys.beyond {
            scores = scores + beyond.clone();
        }
        let weights = self.dropout.forward(softmax(scores, 3));
        let mixed = weights.matmul(value).swap_dims(1, 2).reshape([batch, time, d_model]);
        self.dropout.forward(self.output.forward(mixed))
    }

    /// What the distances add: each query is compared with each distance once, and each key then
    /// takes the score of its own.
    fn scores(&self, query: Tensor<4>, keys: &Keys) -> Tensor<4> {
        let [batch, heads, time, _] = query.dims();
        let of_distances = query.matmul(self.distances.val().transpose().unsqueeze());
        of_distances.gather(3, keys.distances.clone().expand([batch, heads, time, time]))
    }
}
