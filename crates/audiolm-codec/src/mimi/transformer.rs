//! The transformers on either side of Mimi's quantizer.

use audiolm_nn::WeightReader;
use burn::prelude::*;
use burn::tensor::activation::gelu;
use burn::tensor::module::layer_norm;

use super::attention::{Rotation, WindowedAttention, WindowedAttentionState};
use super::config::MimiConfig;

/// Pre-norm layers, each of whose halves adds to a channel as much as it has learnt to
/// (arXiv 2410.00037, section 3.3.1).
#[derive(Debug, Clone)]
pub(super) struct Transformer {
    layers: Vec<Layer>,
    d_head: usize,
    theta: f64,
    /// Frames in one go; more would only widen the mask.
    block: usize,
}

/// The past a stream carries from one chunk to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct TransformerState {
    /// Frames there have been.
    position: usize,
    layers: Vec<WindowedAttentionState>,
}

#[derive(Debug, Clone)]
struct Layer {
    attention_norm: Norm,
    attention: WindowedAttention,
    /// `[width]`
    attention_scale: Tensor<1>,
    feed_forward_norm: Norm,
    widen: Tensor<2>,
    narrow: Tensor<2>,
    /// `[width]`
    feed_forward_scale: Tensor<1>,
}

#[derive(Debug, Clone)]
struct Norm {
    gain: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
}

impl Transformer {
    pub(super) fn read(weights: &mut WeightReader, name: &str, config: &MimiConfig) -> Self {
        let layer = |index| Layer::read(weights, &format!("{name}.layers.{index}"), config);
        Self {
            layers: (0..config.num_hidden_layers).map(layer).collect(),
            d_head: config.d_head(),
            theta: config.rope_theta(),
            block: config.sliding_window,
        }
    }

    /// # Shapes
    /// - chunk and output: `[batch, time, width]`
    pub(super) fn step(&self, chunk: Tensor<3>, state: &mut TransformerState) -> Tensor<3> {
        state.layers.resize_with(self.layers.len(), Default::default);
        let blocks = chunk.split(self.block, 1).into_iter();
        Tensor::cat(blocks.map(|it| self.step_block(it, state)).collect(), 1)
    }

    fn step_block(&self, block: Tensor<3>, state: &mut TransformerState) -> Tensor<3> {
        let [_, time, _] = block.dims();
        let frames = [state.position, time];
        let rotation = Rotation::new(frames, (self.d_head, self.theta), &block.device());
        state.position += time;
        let layers = self.layers.iter().zip(&mut state.layers);
        layers.fold(block, |it, (layer, state)| layer.step(it, &rotation, state))
    }
}

impl Layer {
    fn read(weights: &mut WeightReader, name: &str, config: &MimiConfig) -> Self {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let attention = WindowedAttention::read(weights, &format!("{name}.self_attn"), config);
        let mut norm = |part: &str| Norm::read(weights, &format!("{name}.{part}"), config);
        let attention_norm = norm("input_layernorm");
        let feed_forward_norm = norm("post_attention_layernorm");
        let mut linear = |part: &str, shape| -> Tensor<2> {
            weights.take::<2>(&format!("{name}.mlp.{part}.weight"), shape).transpose()
        };
        let (widen, narrow) = (linear("fc1", [inner, width]), linear("fc2", [width, inner]));
        let mut scale = |part: &str| weights.take(&format!("{name}.{part}.scale"), [width]);
        Self {
            attention_norm,
            attention,
            attention_scale: scale("self_attn_layer_scale"),
            feed_forward_norm,
            widen,
            narrow,
            feed_forward_scale: scale("mlp_layer_scale"),
        }
    }

    /// # Shapes
    /// - frames and output: `[batch, time, width]`
    fn step(
        &self,
        frames: Tensor<3>,
        rotation: &Rotation,
        state: &mut WindowedAttentionState,
    ) -> Tensor<3> {
        let normed = self.attention_norm.forward(frames.clone());
        let attended = self.attention.step(normed, rotation, state);
        let frames = frames + attended * self.attention_scale.clone().unsqueeze::<3>();
        let normed = self.feed_forward_norm.forward(frames.clone());
        let widened = gelu(normed.matmul(self.widen.clone().unsqueeze()));
        let narrowed = widened.matmul(self.narrow.clone().unsqueeze());
        frames + narrowed * self.feed_forward_scale.clone().unsqueeze::<3>()
    }
}

impl Norm {
    fn read(weights: &mut WeightReader, name: &str, config: &MimiConfig) -> Self {
        Self {
            gain: weights.take(&format!("{name}.weight"), [config.hidden_size]),
            bias: weights.take(&format!("{name}.bias"), [config.hidden_size]),
            epsilon: config.norm_eps,
        }
    }

    fn forward(&self, frames: Tensor<3>) -> Tensor<3> {
        layer_norm(frames, self.gain.clone(), Some(self.bias.clone()), self.epsilon)
    }
}
