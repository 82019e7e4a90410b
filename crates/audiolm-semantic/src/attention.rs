//! Attention of every frame to every frame.

use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::prelude::*;
use burn::tensor::activation::softmax;

use crate::HubertConfig;
use crate::linear::bert_linear;

/// Self-attention over a whole clip, without a mask: clips of one batch have one length.
#[derive(Module, Debug)]
pub struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    dropout: Dropout,
    n_heads: usize,
}

impl SelfAttention {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let linear = || bert_linear(config.d_model, config.d_model, device);
        Self {
            query: linear(),
            key: linear(),
            value: linear(),
            output: linear(),
            dropout: DropoutConfig::new(config.dropout).init(),
            n_heads: config.n_heads,
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, time, d_model] = input.dims();
        let d_head = d_model / self.n_heads;
        let heads = |it: Tensor<3>| it.reshape([batch, time, self.n_heads, d_head]).swap_dims(1, 2);
        let query = heads(self.query.forward(input.clone()) * (d_head as f64).powf(-0.5));
        let key = heads(self.key.forward(input.clone()));
        let value = heads(self.value.forward(input));

        let weights = self.dropout.forward(softmax(query.matmul(key.transpose()), 3));
        let mixed = weights.matmul(value).swap_dims(1, 2).reshape([batch, time, d_model]);
        self.output.forward(mixed)
    }
}
