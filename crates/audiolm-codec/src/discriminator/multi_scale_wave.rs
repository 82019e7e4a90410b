//! The waveform discriminator of SoundStream.

use audiolm_nn::leaky_relu;
use burn::prelude::*;
use burn::tensor::module::avg_pool1d;
use burn::tensor::ops::AvgPoolOptions;

use crate::discriminator::DiscriminatorOutput;
use crate::discriminator::convolution::{Convolution, ConvolutionConfig};

/// Scales of the wave: as it is, at half and at a quarter of its rate.
const SCALES: usize = 3;
/// Grouped convolutions of stride 4.
const GROUPED_LAYERS: usize = 4;
/// Channels that one group sees.
const GROUP_SIZE: usize = 4;
/// Of a leaky rectifier.
const SLOPE: f64 = 0.2;

/// Discriminators of one shape over the wave at three rates (arXiv 2107.03312, section III-D;
/// kernels and pooling are those of Kumar et al. 2019, arXiv 1910.06711, to which it points).
#[derive(Module, Debug)]
pub struct MultiScaleWaveDiscriminator {
    scales: Vec<Scale>,
}

#[derive(Module, Debug)]
struct Scale {
    layers: Vec<Convolution>,
    last: Convolution,
}

impl MultiScaleWaveDiscriminator {
    /// Channels grow fourfold from `channels` to at most `most_channels`.
    pub(crate) fn new(channels: usize, most_channels: usize, device: &Device) -> Self {
        let scale = |_| Scale::new(channels, most_channels, device);
        Self { scales: (0..SCALES).map(scale).collect() }
    }

    /// One output for each scale.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    pub fn forward(&self, wave: Tensor<3>) -> Vec<DiscriminatorOutput> {
        let mut wave = wave;
        let scales = self.scales.iter().enumerate().map(|(index, scale)| {
            if index > 0 {
                wave = halved(wave.clone());
            }
            scale.forward(wave.clone())
        });
        scales.collect()
    }
}

impl Scale {
    fn new(channels: usize, most_channels: usize, device: &Device) -> Self {
        let mut width = channels;
        let mut layers = vec![ConvolutionConfig::new([1, width], [1, 15])];
        for _ in 0..GROUPED_LAYERS {
            let wider = (4 * width).min(most_channels);
            let grouped = ConvolutionConfig::new([width, wider], [1, 41]).with_stride([1, 4]);
            layers.push(grouped.with_groups(width / GROUP_SIZE));
            width = wider;
        }
        layers.push(ConvolutionConfig::new([width, width], [1, 5]));
        Self {
            layers: layers.iter().map(|it| it.init(device)).collect(),
            last: ConvolutionConfig::new([width, 1], [1, 3]).init(device),
        }
    }

    fn forward(&self, wave: Tensor<3>) -> DiscriminatorOutput {
        let [batch, _, samples] = wave.dims();
        let mut hidden = wave.reshape([batch, 1, samples, 1]);
        let mut features = Vec::new();
        for layer in &self.layers {
            hidden = leaky_relu(layer.forward(hidden), SLOPE);
            features.push(hidden.clone());
        }
        DiscriminatorOutput { logits: self.last.forward(hidden), features }
    }
}

/// Means of four samples at every other one; what lies beyond the ends is not counted.
fn halved(wave: Tensor<3>) -> Tensor<3> {
    let options = AvgPoolOptions {
        kernel_size: [4],
        stride: [2],
        padding: [(1, 1)],
        count_include_pad: false,
        ceil_mode: false,
    };
    avg_pool1d(wave, options)
}
