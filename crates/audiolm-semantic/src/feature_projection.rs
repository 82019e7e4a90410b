//! From the front end's width to the transformer's.

use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::prelude::*;

use crate::HubertConfig;

/// A norm and a linear map, frame by frame.
#[derive(Module, Debug)]
pub struct FeatureProjection {
    pub(crate) norm: LayerNorm,
    pub(crate) linear: Linear,
    dropout: Dropout,
}

impl FeatureProjection {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let channels = config.conv_channels();
        Self {
            norm: LayerNormConfig::new(channels).init(device),
            linear: LinearConfig::new(channels, config.d_model).init(device),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// # Shapes
    /// - features: `[batch, time, channels]`
    /// - output: `[batch, time, d_model]`
    pub(crate) fn forward(&self, features: Tensor<3>) -> Tensor<3> {
        let normalised = self.norm.forward(features);
        self.dropout.forward(self.linear.forward(normalised))
    }
}
