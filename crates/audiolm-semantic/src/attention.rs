//! Attention of every frame to every frame.

use audiolm_nn::{AttentionHeads, native_whole_attention};
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::prelude::*;
use burn::tensor::activation::softmax;

use crate::linear::bert_linear;
use crate::position_bias::PositionGate;
use crate::{HubertConfig, PositionBias};

/// Self-attention over whole clips.
#[derive(Module, Debug)]
pub struct SelfAttention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    /// Where distances count.
    pub(crate) gate: Option<PositionGate>,
    dropout: Dropout,
    n_heads: usize,
}

/// What all layers of one pass add to the scores of their attention.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScoreBias {
    /// Minus infinity for keys beyond a clip's end: `[batch, 1, 1, time]`
    pub(crate) beyond: Option<Tensor<4>>,
    /// What each layer's gate multiplies: `[1, heads, time, time]`
    pub(crate) distances: Option<Tensor<4>>,
}

impl SelfAttention {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let HubertConfig { d_model, n_heads, .. } = *config;
        let linear = || bert_linear(d_model, d_model, device);
        let gate = match config.position_bias {
            PositionBias::None => None,
            PositionBias::Gated { .. } => {
                Some(PositionGate::new([n_heads, d_model / n_heads], device))
            }
        };
        Self {
            query: linear(),
            key: linear(),
            value: linear(),
            output: linear(),
            gate,
            dropout: DropoutConfig::new(config.dropout).init(),
            n_heads,
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>, bias: &ScoreBias) -> Tensor<3> {
        let [batch, time, d_model] = input.dims();
        let d_head = d_model / self.n_heads;
        let heads = |it: Tensor<3>| it.reshape([batch, time, self.n_heads, d_head]).swap_dims(1, 2);
        let queries = heads(self.query.forward(input.clone()) * (d_head as f64).powf(-0.5));
        let keys = heads(self.key.forward(input.clone()));
        let values = heads(self.value.forward(input.clone()));
        let bias = self.bias(heads(input), bias);

        let heads = AttentionHeads { queries, keys, values };
        let mixed = native_whole_attention(&heads, bias.as_ref())
            .unwrap_or_else(|| self.mix(heads, bias).reshape([batch, time, d_model]));
        self.output.forward(mixed)
    }

    /// `softmax(queries · keys + bias) · values`: `[batch, time, heads, d_head]`.
    fn mix(&self, heads: AttentionHeads, bias: Option<Tensor<4>>) -> Tensor<4> {
        let AttentionHeads { queries, keys, values } = heads;
        let scores = bias.into_iter().fold(queries.matmul(keys.transpose()), Tensor::add);
        let weights = self.dropout.forward(softmax(scores, 3));
        weights.matmul(values).swap_dims(1, 2)
    }

    /// What is added to the scores, from what enters the layer: `[batch, heads, time, d_head]`.
    fn bias(&self, input: Tensor<4>, bias: &ScoreBias) -> Option<Tensor<4>> {
        let gated = match (&self.gate, &bias.distances) {
            (Some(gate), Some(distances)) => Some(gate.forward(input) * distances.clone()),
            _ => None,
        };
        match (gated, bias.beyond.clone()) {
            (Some(gated), Some(beyond)) => Some(gated + beyond),
            (gated, beyond) => gated.or(beyond),
        }
    }
}
