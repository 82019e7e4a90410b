//! From the wave to 50 feature vectors a second.

use burn::prelude::*;
use burn::tensor::activation::gelu;

use crate::clip_norm::ClipNorm;
use crate::strided_conv::StridedConv;
use crate::{ConvLayerConfig, HubertConfig};

/// HuBERT's stack of strided convolutions over the wave.
#[derive(Module, Debug)]
pub struct FrontEnd {
    pub(crate) layers: Vec<ConvLayer>,
}

/// A convolution, a norm where there is one, and a GELU.
#[derive(Module, Debug)]
pub struct ConvLayer {
    conv: StridedConv,
    /// The first layer's alone.
    norm: Option<ClipNorm>,
}

impl FrontEnd {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let mut channels_in = 1;
        let layer = |layer: &ConvLayerConfig| {
            let conv = StridedConv::new(channels_in, layer, device);
            channels_in = layer.channels;
            ConvLayer { conv, norm: None }
        };
        let mut layers: Vec<_> = config.conv_layers.iter().map(layer).collect();
        layers[0].norm = Some(ClipNorm::new(config.conv_layers[0].channels, device));
        Self { layers }
    }

    /// The features of each frame.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`
    /// - output: `[batch, time, channels]`, `time` as [`HubertConfig::frames`] says
    ///
    /// # Panics
    /// Where the wave is too short for one frame.
    pub(crate) fn forward(&self, wave: Tensor<2>) -> Tensor<3> {
        self.layers.iter().fold(wave.unsqueeze_dim(2), |features, it| it.forward(features))
    }
}

impl ConvLayer {
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let convolved = self.conv.forward(input);
        gelu(match &self.norm {
            Some(norm) => norm.forward(convolved),
            None => convolved,
        })
    }
}
