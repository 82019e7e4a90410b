//! The encoder whose hidden layers carry what was said.

use burn::prelude::*;

use crate::feature_projection::FeatureProjection;
use crate::front_end::FrontEnd;
use crate::transformer::{Projected, Transformer};
use crate::{Clips, FrameGeometry, HubertConfig, HubertError, WaveScale};

/// HuBERT (Hsu et al. 2021, arXiv 2106.07447) and its relatives: convolutions over the wave, then a
/// transformer.
///
/// Built by [`HubertConfig::init`] with fresh weights, or read by
/// [`Encoder::load_from`](crate::Encoder::load_from).
#[derive(Module, Debug)]
pub struct Hubert {
    pub(crate) front_end: FrontEnd,
    pub(crate) projection: FeatureProjection,
    pub(crate) encoder: Transformer,
    #[module(skip)]
    wave_scale: WaveScale,
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
            encoder: Transformer::new(self, device),
            wave_scale: self.wave_scale,
            window_samples,
            hop_samples,
        })
    }
}

impl Hubert {
    /// The output of layer `layer`; 0 is what enters the first layer. Layers above are not run.
    ///
    /// "Layer 9 of HuBERT base" in the literature is `layer = 9` here. The norm after the last layer,
    /// where there is one, is left out: see [`output`](Self::output). Waves are padded by nobody, and
    /// scaled only as the configuration says.
    ///
    /// # Shapes
    /// - clips: `[batch, samples]`, waves of one length or [`Clips`] of several
    /// - output: `[batch, time, d_model]`, `time` as [`HubertConfig::frames`] says
    ///
    /// # Panics
    /// Where there is no such layer, or a clip is too short for one frame.
    pub fn features(&self, clips: impl Into<Clips>, layer: usize) -> Tensor<3> {
        self.features_of_layers(clips, &[layer]).remove(0)
    }

    /// The output of each of the `layers`, in their order, from one pass.
    ///
    /// Shapes and panics as [`features`](Self::features).
    pub fn features_of_layers(&self, clips: impl Into<Clips>, layers: &[usize]) -> Vec<Tensor<3>> {
        let top = layers.iter().copied().max().unwrap_or(0);
        assert!(top <= self.n_layers(), "layer {top} of {}", self.n_layers());
        self.encoder.outputs(self.project(&clips.into()), layers)
    }

    /// What leaves the whole encoder: the output of the last layer, and of the norm that follows
    /// it where norms come before the blocks.
    ///
    /// Shapes and panics as [`features`](Self::features).
    pub fn output(&self, clips: impl Into<Clips>) -> Tensor<3> {
        self.encoder.output(self.project(&clips.into()))
    }

    /// What leaves the convolutions: `[batch, time, channels]`.
    pub(crate) fn convolved(&self, clips: &Clips) -> Tensor<3> {
        match self.wave_scale {
            WaveScale::AsIs => self.front_end.forward(clips),
            WaveScale::UnitVariance => self.front_end.forward(&clips.clone().of_unit_variance()),
        }
    }

    /// What goes into the transformer.
    pub(crate) fn project(&self, clips: &Clips) -> Projected {
        let frames = self.projection.forward(self.convolved(clips));
        Projected { frames, mask: clips.mask(self.geometry()) }
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
