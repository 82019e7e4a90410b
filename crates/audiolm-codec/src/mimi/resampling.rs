//! The two layers between the rate of Mimi's transformers and half of it, that of its codes
//! (arXiv 2410.00037, section 3.3.1).

use audiolm_nn::WeightReader;

use super::config::MimiConfig;
use crate::seanet::{Edge, EdgedConv, UpsamplingConv};

/// Frames of the transformers for each frame of codes.
pub(super) const STRIDE: usize = 2;

/// Takes the layer before the quantizer, which repeats its first and last frame at the edges.
pub(super) fn read_downsample(weights: &mut WeightReader, config: &MimiConfig) -> EdgedConv {
    let width = config.hidden_size;
    EdgedConv {
        weight: weights.take_kernels("downsample.conv", [width, width, 2 * STRIDE]),
        bias: None,
        stride: STRIDE,
        dilation: 1,
        edge: Edge::Replicate,
    }
}

/// Takes the layer after the quantizer, whose channels are in groups.
pub(super) fn read_upsample(weights: &mut WeightReader, config: &MimiConfig) -> UpsamplingConv {
    let (width, groups) = (config.hidden_size, config.upsample_groups);
    UpsamplingConv {
        weight: weights.take_kernels("upsample.conv", [width, width / groups, 2 * STRIDE]),
        bias: None,
        groups,
    }
}
