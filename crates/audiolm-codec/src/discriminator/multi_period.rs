//! The multi-period discriminator of HiFi-GAN.

use audiolm_nn::leaky_relu;
use burn::prelude::*;
use burn::tensor::ops::PadMode;

use crate::discriminator::DiscriminatorOutput;
use crate::discriminator::convolution::{Convolution, ConvolutionConfig};

/// Layers that take every third sample of a phase.
const STRIDED_LAYERS: u32 = 4;
/// Of a leaky rectifier.
const SLOPE: f64 = 0.1;

/// Discriminators that each fold the wave at a period and look along its phases alone (Kong et al.
/// 2020, arXiv 2010.05646, section 2.3 and appendix B.2).
#[derive(Module, Debug)]
pub struct MultiPeriodDiscriminator {
    periods: Vec<Period>,
}

#[derive(Module, Debug)]
struct Period {
    layers: Vec<Convolution>,
    last: Convolution,
    period: usize,
}

impl MultiPeriodDiscriminator {
    /// Channels grow fourfold from `channels` to at most `most_channels`.
    pub(crate) fn new(
        channels: usize,
        most_channels: usize,
        periods: &[usize],
        device: &Device,
    ) -> Self {
        let width = |layer| (channels * 4_usize.pow(layer)).min(most_channels);
        let period = |it: &usize| Period::new(*it, width, device);
        Self { periods: periods.iter().map(period).collect() }
    }

    /// One output for each period.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    ///
    /// # Panics
    /// Where the wave is shorter than a period.
    pub fn forward(&self, wave: Tensor<3>) -> Vec<DiscriminatorOutput> {
        self.periods.iter().map(|it| it.forward(wave.clone())).collect()
    }
}

impl Period {
    fn new(period: usize, width: impl Fn(u32) -> usize, device: &Device) -> Self {
        let strided = (0..STRIDED_LAYERS).map(|it| {
            let channels = [if it == 0 { 1 } else { width(it - 1) }, width(it)];
            ConvolutionConfig::new(channels, [5, 1]).with_stride([3, 1])
        });
        let widest = width(STRIDED_LAYERS - 1);
        let layers = strided.chain([ConvolutionConfig::new([widest, widest], [5, 1])]);
        Self {
            layers: layers.map(|it| it.init(device)).collect(),
            last: ConvolutionConfig::new([widest, 1], [3, 1]).init(device),
            period,
        }
    }

    fn forward(&self, wave: Tensor<3>) -> DiscriminatorOutput {
        let mut hidden = self.folded(wave);
        let mut features = Vec::new();
        for layer in &self.layers {
            hidden = leaky_relu(layer.forward(hidden), SLOPE);
            features.push(hidden.clone());
        }
        DiscriminatorOutput { logits: self.last.forward(hidden), features }
    }

    /// Its end mirrored to whole periods: `[batch, samples / period, period, 1]`.
    fn folded(&self, wave: Tensor<3>) -> Tensor<4> {
        let [batch, _, samples] = wave.dims();
        let missing = samples.next_multiple_of(self.period) - samples;
        let wave = match missing {
            0 => wave,
            _ => wave.pad([(0, missing)], PadMode::Reflect),
        };
        wave.reshape([batch, (samples + missing) / self.period, self.period, 1])
    }
}
