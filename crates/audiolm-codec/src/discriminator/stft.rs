//! The STFT discriminator of SoundStream.

use audiolm_nn::elu;
use burn::prelude::*;

use crate::discriminator::DiscriminatorOutput;
use crate::discriminator::convolution::{Convolution, ConvolutionConfig};
use crate::discriminator::example_norm::ExampleNorm;
use crate::discriminator::spectrum::complex_spectrum;

/// Window and hop (section III-D).
const WINDOW: usize = 1024;
const HOP: usize = 256;
/// How many times each block widens its channels, and its stride over frames and bins (figure 4).
const BLOCKS: [(usize, [usize; 2]); 6] =
    [(2, [1, 2]), (2, [2, 2]), (1, [1, 2]), (2, [2, 2]), (1, [1, 2]), (2, [2, 2])];

/// The discriminator of the complex short-time spectrum at one scale (arXiv 2107.03312, section
/// III-D and figure 4): a convolution of kernel 7×7, six residual blocks, and one over all the bins
/// that are left.
///
/// The paper names no normalisation; those who trained it again found that it diverges without one
/// (arXiv 2210.13438, section 4.2). Here every convolution but the last is followed by one over the
/// channels, frames and bins of an example.
#[derive(Module, Debug)]
pub struct StftDiscriminator {
    first: Convolution,
    norm: ExampleNorm,
    blocks: Vec<ResidualBlock>,
    last: Convolution,
}

#[derive(Module, Debug)]
struct ResidualBlock {
    first: Convolution,
    first_norm: ExampleNorm,
    second: Convolution,
    second_norm: ExampleNorm,
    skip: Convolution,
}

impl StftDiscriminator {
    /// Samples of the shortest wave whose frames survive the strides.
    pub(crate) const SHORTEST_SAMPLES: usize = WINDOW + 7 * HOP;

    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        let mut width = channels;
        let blocks = BLOCKS.map(|(growth, stride)| {
            let block = ResidualBlock::new([width, width * growth], stride, device);
            width *= growth;
            block
        });
        let bins = (WINDOW / 2) >> BLOCKS.len();
        Self {
            first: ConvolutionConfig::new([2, channels], [7, 7]).init(device),
            norm: ExampleNorm::new(channels, device),
            blocks: blocks.into(),
            last: ConvolutionConfig::new([width, 1], [1, bins]).with_padding([0, 0]).init(device),
        }
    }

    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    ///
    /// # Panics
    /// Where the wave has fewer than 2816 samples: eight frames, of which the strides leave one.
    pub fn forward(&self, wave: Tensor<3>) -> DiscriminatorOutput {
        // The highest bin is left out: the paper counts half as many bins as samples in a window.
        let spectrum = complex_spectrum(wave, WINDOW, HOP).slice_dim(2, ..WINDOW / 2);
        let mut hidden = elu(self.norm.forward(self.first.forward(spectrum)));
        let mut features = vec![hidden.clone()];
        for block in &self.blocks {
            hidden = block.forward(hidden);
            features.push(hidden.clone());
        }
        DiscriminatorOutput { logits: self.last.forward(hidden), features }
    }
}

impl ResidualBlock {
    fn new(channels: [usize; 2], stride: [usize; 2], device: &Device) -> Self {
        let [narrow, wide] = channels;
        let second = ConvolutionConfig::new(channels, stride.map(|it| it + 2)).with_stride(stride);
        let skip = ConvolutionConfig::new(channels, [1, 1]).with_stride(stride);
        Self {
            first: ConvolutionConfig::new([narrow, narrow], [3, 3]).init(device),
            first_norm: ExampleNorm::new(narrow, device),
            second: second.init(device),
            second_norm: ExampleNorm::new(wide, device),
            skip: skip.init(device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let hidden = elu(self.first_norm.forward(self.first.forward(input.clone())));
        let hidden = self.second_norm.forward(self.second.forward(hidden));
        let [_, rows, columns, _] = hidden.dims();
        let skip = self.skip.forward(input).slice_dim(1, ..rows).slice_dim(2, ..columns);
        elu(hidden + skip)
    }
}
