//! From the wave to 50 feature vectors a second.

use audiolm_nn::{gelu, listens_natively};
use burn::prelude::*;

use crate::clips::{Clips, FrameMask};
use crate::conv_norm::ConvNorm;
use crate::strided_conv::StridedConv;
use crate::{ConvLayerConfig, FrameGeometry, FrontEndNorm, HubertConfig};

/// HuBERT's stack of strided convolutions over the wave.
#[derive(Module, Debug)]
pub struct FrontEnd {
    pub(crate) layers: Vec<ConvLayer>,
}

/// A convolution, a norm where there is one, and a GELU.
#[derive(Module, Debug)]
pub struct ConvLayer {
    pub(crate) conv: StridedConv,
    pub(crate) norm: Option<ConvNorm>,
}

impl FrontEnd {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let mut channels_in = 1;
        let layer = |(index, layer): (usize, &ConvLayerConfig)| {
            let conv = StridedConv::new(channels_in, layer, device).with_bias(config.conv_bias);
            channels_in = layer.channels;
            let norm = config
                .has_conv_norm(index)
                .then(|| ConvNorm::new(layer.channels, config.front_end_norm, device));
            ConvLayer { conv, norm }
        };
        Self { layers: config.conv_layers.iter().enumerate().map(layer).collect() }
    }

    /// The features of each frame.
    ///
    /// # Shapes
    /// - output: `[batch, time, channels]`, `time` as [`HubertConfig::frames`] says
    ///
    /// # Panics
    /// Where a clip is too short for one frame.
    pub(crate) fn forward(&self, clips: &Clips) -> Tensor<3> {
        match listens_natively(clips.wave()) {
            true => self.clip_by_clip(clips),
            false => self.after(self.layers.len(), clips),
        }
    }

    /// What leaves the first `n` convolutions, in the shape of [`forward`](Self::forward).
    pub(crate) fn after(&self, n: usize, clips: &Clips) -> Tensor<3> {
        // The first convolution alone has a norm over time.
        let first = [self.layers[0].conv.kernel_and_stride()];
        let mask = clips.mask(FrameGeometry::of_layers(first));
        let features = clips.wave().clone().unsqueeze_dim(2);
        self.layers[..n].iter().fold(features, |it, layer| layer.forward(it, mask.as_ref()))
    }
}

impl HubertConfig {
    /// Whether there is a norm after a convolution of the front end.
    pub(crate) fn has_conv_norm(&self, layer: usize) -> bool {
        match self.front_end_norm {
            FrontEndNorm::Clip => layer == 0,
            FrontEndNorm::Frame => true,
        }
    }
}

impl ConvLayer {
    pub(crate) fn forward(&self, input: Tensor<3>, mask: Option<&FrameMask>) -> Tensor<3> {
        let convolved = self.conv.forward(input);
        gelu(match &self.norm {
            Some(norm) => norm.forward(convolved, mask),
            None => convolved,
        })
    }
}
