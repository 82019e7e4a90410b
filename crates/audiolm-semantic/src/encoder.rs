//! The transformer over frames.

use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig};
use burn::prelude::*;

use crate::HubertConfig;
use crate::encoder_layer::EncoderLayer;
use crate::positional_conv::PositionalConv;

/// Positions, a norm, and the layers.
#[derive(Module, Debug)]
pub struct Encoder {
    pub(crate) position: PositionalConv,
    norm: LayerNorm,
    dropout: Dropout,
    pub(crate) layers: Vec<EncoderLayer>,
}

impl Encoder {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        Self {
            position: PositionalConv::new(config, device),
            norm: LayerNormConfig::new(config.d_model).init(device),
            dropout: DropoutConfig::new(config.dropout).init(),
            layers: (0..config.n_layers).map(|_| EncoderLayer::new(config, device)).collect(),
        }
    }

    /// What leaves layer `layer`; 0 is what enters the first. The layers above are not run.
    ///
    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, input: Tensor<3>, layer: usize) -> Tensor<3> {
        let entered = self.enter(input);
        self.layers[..layer].iter().fold(entered, |hidden, it| it.forward(hidden))
    }

    /// What leaves each layer from 0 to `top`.
    pub(crate) fn outputs(&self, input: Tensor<3>, top: usize) -> Vec<Tensor<3>> {
        let mut outputs = vec![self.enter(input)];
        for layer in &self.layers[..top] {
            outputs.push(layer.forward(outputs[outputs.len() - 1].clone()));
        }
        outputs
    }

    fn enter(&self, input: Tensor<3>) -> Tensor<3> {
        let positions = self.position.forward(input.clone());
        self.dropout.forward(self.norm.forward(input + positions))
    }
}
