//! Configurations with a name.

use crate::{ConvLayerConfig, HubertConfig};

/// Kernel and stride of HuBERT's convolutions: 400 samples seen, a frame every 320.
const FRONT_END: [(usize, usize); 7] = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];

/// HuBERT base, 94.4 M parameters (Hsu et al. 2021, arXiv 2106.07447, Table I; heads and the
/// positional convolution as in the published weights).
pub fn base() -> HubertConfig {
    HubertConfig::new(front_end([512; 7]), 768, 12, 12, 3072)
}

/// HuBERT's shape at 1.6 M parameters, to be trained on a CPU in minutes. No published model.
///
/// The channels of the front end grow while its frame rate falls: the first two convolutions see
/// 64 and 32 times the frames of the last, so their width alone decides the cost on a CPU.
pub fn tiny() -> HubertConfig {
    HubertConfig::new(front_end([32, 64, 96, 128, 160, 160, 160]), 160, 4, 4, 640)
        .with_position_kernel_size(64)
        .with_dropout(0.0)
}

fn front_end(channels: [usize; 7]) -> Vec<ConvLayerConfig> {
    let layer =
        |(channels, (kernel_size, stride))| ConvLayerConfig::new(channels, kernel_size, stride);
    channels.into_iter().zip(FRONT_END).map(layer).collect()
}
