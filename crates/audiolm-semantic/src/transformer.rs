//! The transformer over frames.

use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig};
use burn::prelude::*;

use crate::attention::ScoreBias;
use crate::clips::FrameMask;
use crate::position_bias::DistanceBias;
use crate::positional_conv::PositionalConv;
use crate::tapped::tapped;
use crate::transformer_layer::TransformerLayer;
use crate::{HubertConfig, NormPlacement, PositionBias};

/// Positions, a norm before or after, and the layers.
#[derive(Module, Debug)]
pub struct Transformer {
    pub(crate) position: PositionalConv,
    pub(crate) norm: LayerNorm,
    /// Where distances count.
    pub(crate) distances: Option<DistanceBias>,
    dropout: Dropout,
    pub(crate) layers: Vec<TransformerLayer>,
    #[module(skip)]
    norms: NormPlacement,
}

/// What goes into the transformer.
#[derive(Debug, Clone)]
pub(crate) struct Projected {
    /// `[batch, time, d_model]`
    pub(crate) frames: Tensor<3>,
    /// Which frames are the clips', where not all are.
    pub(crate) mask: Option<FrameMask>,
}

/// What is between two layers.
struct Hidden {
    frames: Tensor<3>,
    bias: ScoreBias,
}

impl Transformer {
    pub(crate) fn new(config: &HubertConfig, device: &Device) -> Self {
        let distances = match config.position_bias {
            PositionBias::None => None,
            PositionBias::Gated { n_buckets, max_distance } => {
                Some(DistanceBias::new([n_buckets, config.n_heads], max_distance, device))
            }
        };
        Self {
            position: PositionalConv::new(config, device),
            norm: LayerNormConfig::new(config.d_model).init(device),
            distances,
            dropout: DropoutConfig::new(config.dropout).init(),
            layers: (0..config.n_layers).map(|_| TransformerLayer::new(config, device)).collect(),
            norms: config.norm_placement,
        }
    }

    /// What leaves each of the `layers`, in their order; 0 is what enters the first. The layers above
    /// the highest are not run.
    ///
    /// # Shapes
    /// - outputs: `[batch, time, d_model]`
    pub(crate) fn outputs(&self, input: Projected, layers: &[usize]) -> Vec<Tensor<3>> {
        let Hidden { frames, bias } = self.enter(input);
        tapped(frames, layers, |layer, it| self.layers[layer - 1].forward(it, &bias))
    }

    /// What the whole gives: what leaves the last layer, and the norm where it comes last.
    pub(crate) fn output(&self, input: Projected) -> Tensor<3> {
        let hidden = self.outputs(input, &[self.layers.len()]).remove(0);
        match self.norms {
            NormPlacement::After => hidden,
            NormPlacement::Before => self.norm.forward(hidden),
        }
    }

    fn enter(&self, Projected { frames, mask }: Projected) -> Hidden {
        let time = frames.dims()[1];
        let bias = ScoreBias {
            beyond: mask.as_ref().map(FrameMask::bias),
            distances: self.distances.as_ref().map(|it| it.forward(time).unsqueeze()),
        };
        let frames = match &mask {
            Some(mask) => mask.silenced(frames),
            None => frames,
        };
        let positioned = frames.clone() + self.position.forward(frames);
        let normalised = match self.norms {
            NormPlacement::After => self.norm.forward(positioned),
            NormPlacement::Before => positioned,
        };
        Hidden { frames: self.dropout.forward(normalised), bias }
    }
}

impl From<Tensor<3>> for Projected {
    /// Clips of one length.
    fn from(frames: Tensor<3>) -> Self {
        Self { frames, mask: None }
    }
}
