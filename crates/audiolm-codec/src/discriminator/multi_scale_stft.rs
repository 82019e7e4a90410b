//! The multi-scale STFT discriminator of EnCodec.

use audiolm_nn::leaky_relu;
use burn::prelude::*;

use crate::discriminator::DiscriminatorOutput;
use crate::discriminator::convolution::{Convolution, ConvolutionConfig};
use crate::discriminator::spectrum::complex_spectrum;

/// Frames from one tap to the next in the layers that halve the bins.
const DILATIONS: [usize; 3] = [1, 2, 4];
/// Of a leaky rectifier.
const SLOPE: f64 = 0.2;

/// Discriminators of one shape over complex spectra of several windows, with hops of a quarter
/// window (arXiv 2210.13438, section 3.4 and figure 2).
#[derive(Module, Debug)]
pub struct MultiScaleStftDiscriminator {
    scales: Vec<Scale>,
}

#[derive(Module, Debug)]
struct Scale {
    layers: Vec<Convolution>,
    last: Convolution,
    window: usize,
}

impl MultiScaleStftDiscriminator {
    pub(crate) fn new(channels: usize, windows: &[usize], device: &Device) -> Self {
        Self { scales: windows.iter().map(|it| Scale::new(channels, *it, device)).collect() }
    }

    /// One output for each window.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    ///
    /// # Panics
    /// Where the wave is shorter than a window.
    pub fn forward(&self, wave: Tensor<3>) -> Vec<DiscriminatorOutput> {
        self.scales.iter().map(|it| it.forward(wave.clone())).collect()
    }
}

impl Scale {
    fn new(channels: usize, window: usize, device: &Device) -> Self {
        let kernel = [3, 9];
        let same = [channels, channels];
        let dilated = DILATIONS.map(|it| {
            ConvolutionConfig::new(same, kernel).with_stride([1, 2]).with_row_dilation(it)
        });
        let first = ConvolutionConfig::new([2, channels], kernel);
        let narrow = ConvolutionConfig::new(same, [3, 3]);
        let layers = [first].into_iter().chain(dilated).chain([narrow]);
        Self {
            layers: layers.map(|it| it.init(device)).collect(),
            last: ConvolutionConfig::new([channels, 1], [3, 3]).init(device),
            window,
        }
    }

    fn forward(&self, wave: Tensor<3>) -> DiscriminatorOutput {
        let mut hidden = complex_spectrum(wave, self.window, self.window / 4);
        let mut features = Vec::new();
        for layer in &self.layers {
            hidden = leaky_relu(layer.forward(hidden), SLOPE);
            features.push(hidden.clone());
        }
        DiscriminatorOutput { logits: self.last.forward(hidden), features }
    }
}
