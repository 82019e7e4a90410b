//! The encoder of w2v-BERT: conformer layers over log-mels.

pub(crate) mod attention;
mod config;
pub(crate) mod convolution;
pub(crate) mod feed_forward;
pub(crate) mod layer;
mod log_mels;
#[cfg(test)]
mod parity;

use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::prelude::*;

use crate::clips::FrameMask;
use crate::tapped::tapped;
use crate::{Clips, FrameGeometry, HubertError};
pub use config::{ConformerConfig, ConvPadding, MelNormalisation};
use layer::{ConformerLayer, Surroundings};
use log_mels::LogMels;

/// Conformer layers over log-mels: w2v-BERT (Chung et al. 2021, arXiv 2108.06209) as version 2.0 has
/// been published (Communication et al. 2023, arXiv 2312.05187).
///
/// Built by [`ConformerConfig::init`] with fresh weights, or read by
/// [`Encoder::load_from`](crate::Encoder::load_from).
#[derive(Module, Debug)]
pub struct Conformer {
    /// Of the stacked log-mels, where they are compared with one another.
    pub(crate) norm: Option<LayerNorm>,
    pub(crate) projection: Linear,
    pub(crate) layers: Vec<ConformerLayer>,
    #[module(skip)]
    config: ConformerConfig,
}

/// What goes into the layers.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// `[batch, time, d_model]`
    pub(crate) frames: Tensor<3>,
    /// Which frames are the clips', where not all are.
    pub(crate) mask: Option<FrameMask>,
}

impl ConformerConfig {
    /// Builds the encoder with fresh weights.
    ///
    /// # Errors
    /// Where the numbers describe no model.
    pub fn init(&self, device: &Device) -> Result<Conformer, HubertError> {
        self.validate()?;
        Ok(Conformer {
            norm: (self.mel_normalisation == MelNormalisation::Clip)
                .then(|| LayerNormConfig::new(self.n_features()).init(device)),
            projection: LinearConfig::new(self.n_features(), self.d_model).init(device),
            layers: (0..self.n_layers).map(|_| ConformerLayer::new(self, device)).collect(),
            config: self.clone(),
        })
    }
}

impl Conformer {
    /// The output of layer `layer`; 0 is what enters the first layer. Layers above are not run.
    ///
    /// # Shapes
    /// - clips: `[batch, samples]`, waves of one length or [`Clips`] of several
    /// - output: `[batch, time, d_model]`, `time` as [`ConformerConfig::frames`] says
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
        self.outputs(self.hear(&clips.into()), layers)
    }

    /// The same encoder without the layers above `layer`.
    ///
    /// # Panics
    /// Where there is no such layer.
    pub fn truncated(mut self, layer: usize) -> Self {
        assert!(layer <= self.n_layers(), "layer {layer} of {}", self.n_layers());
        self.layers.truncate(layer);
        self.config.n_layers = layer;
        self
    }

    /// Conformer layers.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Width of the features.
    pub fn d_model(&self) -> usize {
        self.config.d_model
    }

    /// How many frames a wave gives, and which samples each of them sees.
    pub fn geometry(&self) -> FrameGeometry {
        self.config.geometry()
    }

    /// What goes into the layers.
    pub(crate) fn hear(&self, clips: &Clips) -> Heard {
        let frames = self.projection.forward(self.normalised_mels(clips));
        Heard { frames, mask: clips.mask(self.geometry()) }
    }

    /// Stacked log-mels, normalised: `[batch, time, n_features]`.
    pub(crate) fn normalised_mels(&self, clips: &Clips) -> Tensor<3> {
        let mels = LogMels::new(&self.config).forward(clips);
        match &self.norm {
            Some(norm) => norm.forward(mels),
            None => mels,
        }
    }

    /// What leaves each of the `layers` where these normalised log-mels enter, of which the mask says
    /// what belongs to the clips where not all does.
    pub(crate) fn outputs_of_mels(
        &self,
        mels: Tensor<3>,
        mask: Option<FrameMask>,
        layers: &[usize],
    ) -> Vec<Tensor<3>> {
        let frames = self.projection.forward(mels);
        self.outputs(Heard { frames, mask }, layers)
    }

    /// What leaves each of the `layers`, in their order.
    fn outputs(&self, heard: Heard, layers: &[usize]) -> Vec<Tensor<3>> {
        self.check_layers(layers);
        let around = self.surroundings(&heard);
        let entered = match &heard.mask {
            Some(mask) => mask.silenced(heard.frames),
            None => heard.frames,
        };
        tapped(entered, layers, |layer, it| self.layers[layer - 1].forward(it, &around))
    }

    fn check_layers(&self, layers: &[usize]) {
        let top = layers.iter().copied().max().unwrap_or(0);
        assert!(top <= self.n_layers(), "layer {top} of {}", self.n_layers());
    }

    pub(crate) fn surroundings(&self, heard: &Heard) -> Surroundings {
        let beyond = heard.mask.as_ref().map(FrameMask::bias);
        Surroundings { beyond, mask: heard.mask.clone() }
    }
}
