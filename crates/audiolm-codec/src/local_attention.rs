//! The bottleneck's memory: causal attention to a window of frames.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::attention_layer::{AttentionLayer, AttentionLayerState, Window};
use crate::window_bias::WindowBias;

/// Sizes of a [`LocalAttention`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalAttentionConfig {
    /// Layers on each side of the quantizer.
    pub n_layers: usize,
    /// Heads of a layer; they share the frame's dimensions.
    pub n_heads: usize,
    /// Frames that a frame sees, its own included.
    pub window_frames: usize,
}

/// One layer of 8 heads over 128 frames, the depth and window that audiolm-pytorch 2.4.0 gives its
/// SoundStream. Mimi (arXiv 2410.00037, section 3.3) has 8 layers over 250 frames.
impl Default for LocalAttentionConfig {
    fn default() -> Self {
        Self { n_layers: 1, n_heads: 8, window_frames: 128 }
    }
}

/// Layers of attention between frames, each frame to itself and to those shortly before it.
///
/// Convolutions see a fraction of a second; a voice and its room stay the same for longer. A stream
/// is carried in a ring of keys and values that never holds more than the window.
#[derive(Module, Debug)]
pub struct LocalAttention {
    bias: WindowBias,
    layers: Vec<AttentionLayer>,
}

/// The past a stream carries through the layers from one chunk to the next.
#[derive(Debug, Clone)]
pub struct LocalAttentionState {
    layers: Vec<AttentionLayerState>,
}

impl LocalAttentionConfig {
    pub(crate) fn init(&self, dimension: usize, device: &Device) -> LocalAttention {
        let layer = |_| AttentionLayer::new(dimension, self.n_heads, device);
        LocalAttention {
            bias: WindowBias::new(self.n_heads, self.window_frames, device),
            layers: (0..self.n_layers).map(layer).collect(),
        }
    }
}

impl LocalAttention {
    /// Attends within the next chunk of a stream and to what it remembers.
    ///
    /// # Shapes
    /// - chunk and output: `[batch, time, dimension]`
    pub(crate) fn step(&self, chunk: Tensor<3>, state: &mut LocalAttentionState) -> Tensor<3> {
        let [_, time, _] = chunk.dims();
        let frames = self.bias.window();
        let queries = time.min(frames);
        let keys = (state.past() + time).min(queries + frames - 1);
        let window = Window { frames, bias: self.bias.block(queries, keys) };
        let layers = self.layers.iter().zip(&mut state.layers);
        layers.fold(chunk, |it, (layer, state)| layer.step(it, &window, state))
    }

    pub(crate) fn silence(&self) -> LocalAttentionState {
        LocalAttentionState { layers: vec![AttentionLayerState::default(); self.layers.len()] }
    }
}

impl LocalAttentionState {
    pub(crate) fn n_numbers(&self) -> usize {
        self.layers.iter().map(AttentionLayerState::n_numbers).sum()
    }

    /// How many frames it still knows.
    fn past(&self) -> usize {
        self.layers.first().map_or(0, AttentionLayerState::past)
    }
}

/// One chunk through `attention`, or past it where there is none.
pub(crate) fn step_attention(
    attention: Option<&LocalAttention>,
    chunk: Tensor<3>,
    state: &mut Option<LocalAttentionState>,
) -> Tensor<3> {
    match (attention, state) {
        (Some(attention), Some(state)) => attention.step(chunk, state),
        _ => chunk,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::{ModuleMapper, Param};
    use burn::tensor::{Distribution, Tolerance};

    const WINDOW: usize = 4;

    /// Noise on every weight: an untrained layer adds nothing.
    struct Stirred;

    impl ModuleMapper for Stirred {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|it| {
                let noise = Tensor::random(it.dims(), Distribution::Normal(0.0, 0.5), &it.device());
                it + noise
            })
        }
    }

    fn noise(time: usize, device: &Device) -> Tensor<3> {
        Tensor::random([2, time, 8], Distribution::Normal(0.0, 1.0), device)
    }

    fn attention(n_layers: usize, device: &Device) -> LocalAttention {
        device.seed(0);
        let config = LocalAttentionConfig { n_layers, n_heads: 2, window_frames: WINDOW };
        config.init(8, device).map(&mut Stirred)
    }

    fn whole(attention: &LocalAttention, input: Tensor<3>) -> Tensor<3> {
        attention.step(input, &mut attention.silence())
    }

    #[test]
    fn a_frame_hears_its_window_and_nothing_else() {
        let device = Device::default();
        let attention = attention(1, &device);
        let input = noise(12, &device);
        let changed = input.clone().slice_assign([0..2, 5..6, 0..8], noise(1, &device));
        let change = (whole(&attention, input) - whole(&attention, changed)).abs().max_dim(2);
        let change = change.max_dim(0).try_into_vec_as::<f32>().unwrap();
        for (frame, change) in change.into_iter().enumerate() {
            let hears = (5..5 + WINDOW).contains(&frame);
            assert_eq!(change > 1e-4, hears, "frame {frame} changes by {change}");
        }
    }

    #[test]
    fn blocks_longer_than_the_window_equal_single_frames() {
        let device = Device::default();
        let attention = attention(2, &device);
        let input = noise(3 * WINDOW + 1, &device);
        let mut state = attention.silence();
        let frames = input.clone().split(1, 1).into_iter();
        let steps = frames.map(|it| attention.step(it, &mut state)).collect();
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        let expected = whole(&attention, input).into_data();
        Tensor::cat(steps, 1).into_data().assert_approx_eq(&expected, tolerance);
    }

    #[test]
    fn a_long_stream_remembers_no_more_than_its_window() {
        let device = Device::default();
        let attention = attention(2, &device);
        let mut state = attention.silence();
        let mut remembered = Vec::new();
        for frames in [1, 1, 1, 1, 9, 1, 40] {
            attention.step(noise(frames, &device), &mut state);
            remembered.push(state.layers.iter().map(AttentionLayerState::past).max().unwrap());
        }
        assert_eq!(remembered, [1, 2, 3, 3, 3, 3, 3]);
    }

    #[test]
    fn an_untrained_layer_adds_nothing() {
        let device = Device::default();
        let config = LocalAttentionConfig { n_heads: 2, ..Default::default() };
        let input = noise(9, &device);
        let output = whole(&config.init(8, &device), input.clone());
        assert_eq!(output.into_data(), input.into_data());
    }
}
