//! The encoder whose hidden layers carry what was said.

use burn::prelude::*;

use crate::encoder::Encoder;
use crate::feature_projection::FeatureProjection;
use crate::front_end::FrontEnd;
use crate::{FrameGeometry, HubertConfig, HubertError};

/// HuBERT (Hsu et al. 2021, arXiv 2106.07447): convolutions over the wave, then a transformer.
///
/// Built by [`HubertConfig::init`] with fresh weights, or read by
/// [`load_transformers`](crate::load_transformers).
#[derive(Module, Debug)]
pub struct Hubert {
    pub(crate) front_end: FrontEnd,
    pub(crate) projection: FeatureProjection,
    pub(crate) encoder: Encoder,
    window_samples: usize,
    hop_samples: usize,
}

impl HubertConfig {
    /// Builds the encoder with fresh weights, as fairseq begins its pretraining.
    ///
    /// # Errors
    /// Where the numbers describe no model.
    pub fn init(&self, device: &Device) -> Result<Hubert, HubertError> {
        self.validate()?;
        let FrameGeometry { window_samples, hop_samples } = self.geometry();
        Ok(Hubert {
            front_end: FrontEnd::new(self, device),
            projection: FeatureProjection::new(self, device),
            encoder: Encoder::new(self, device),
            window_samples,
            hop_samples,
        })
    }
}

impl Hubert {
    /// The output of layer `layer`; 0 is what enters the first layer. Layers above are not run.
    ///
    /// "Layer 9 of HuBERT base" in the literature is `layer = 9` here. The wave goes in as it is,
    /// neither scaled nor padded. Clips of one batch have one length: the first convolution's norm
    /// takes its statistics over the whole clip, so padding would change every feature.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`
    /// - output: `[batch, time, d_model]`, `time` as [`HubertConfig::frames`] says
    ///
    /// # Panics
    /// Where there is no such layer, or the wave is too short for one frame.
    pub fn features(&self, wave: Tensor<2>, layer: usize) -> Tensor<3> {
        assert!(layer <= self.n_layers(), "layer {layer} of {}", self.n_layers());
        let projected = self.projection.forward(self.front_end.forward(wave));
        self.encoder.forward(projected, layer)
    }

    /// The output of each of the `layers`, in their order, from one pass.
    ///
    /// Shapes and panics as [`features`](Self::features).
    pub fn features_of_layers(&self, wave: Tensor<2>, layers: &[usize]) -> Vec<Tensor<3>> {
        let Some(&top) = layers.iter().max() else { return vec![] };
        assert!(top <= self.n_layers(), "layer {top} of {}", self.n_layers());
        let projected = self.projection.forward(self.front_end.forward(wave));
        let all = self.encoder.outputs(projected, top);
        layers.iter().map(|&layer| all[layer].clone()).collect()
    }

    /// The same encoder without the layers above `layer`.
    ///
    /// # Panics
    /// Where there is no such layer.
    pub fn truncated(mut self, layer: usize) -> Self {
        assert!(layer <= self.n_layers(), "layer {layer} of {}", self.n_layers());
        self.encoder.layers.truncate(layer);
        self
    }

    /// Transformer layers.
    pub fn n_layers(&self) -> usize {
        self.encoder.layers.len()
    }

    /// Width of the features.
    pub fn d_model(&self) -> usize {
        self.encoder.position.d_model()
    }

    /// How many frames a wave gives, and which samples each of them sees.
    pub fn geometry(&self) -> FrameGeometry {
        FrameGeometry { window_samples: self.window_samples, hop_samples: self.hop_samples }
    }
}
