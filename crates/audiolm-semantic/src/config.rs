//! The numbers that describe a HuBERT encoder.

use burn::prelude::*;

use crate::{FrameGeometry, HubertError};

/// One convolution of the front end.
#[derive(Config, Debug, PartialEq, Eq)]
pub struct ConvLayerConfig {
    /// Channels of the output.
    pub channels: usize,
    /// Taps of the kernel.
    pub kernel_size: usize,
    /// Input frames from one output to the next.
    pub stride: usize,
}

/// Configuration of a [`Hubert`](crate::Hubert).
///
/// The shape of HuBERT base (Hsu et al. 2021, arXiv 2106.07447): convolutions without bias, a
/// group norm in the first alone, layers that normalise after each residual sum. The large and
/// extra large models differ in these three points and are not covered.
#[derive(Config, Debug, PartialEq)]
pub struct HubertConfig {
    /// Samples per second of the waves.
    #[config(default = 16_000)]
    pub sample_rate_hz: usize,
    /// The convolutions, the one nearest to the wave first.
    pub conv_layers: Vec<ConvLayerConfig>,
    /// Width of the transformer.
    pub d_model: usize,
    /// Transformer layers.
    pub n_layers: usize,
    /// Attention heads of each layer.
    pub n_heads: usize,
    /// Width inside each feed-forward block.
    pub d_feed_forward: usize,
    /// Taps of the positional convolution.
    #[config(default = 128)]
    pub position_kernel_size: usize,
    /// Groups of the positional convolution.
    #[config(default = 16)]
    pub position_groups: usize,
    /// Share of values dropped in training: of the transformer's input, of the attention weights
    /// and of each block's output.
    #[config(default = 0.1)]
    pub dropout: f64,
}

impl HubertConfig {
    /// How many frames a wave gives, and which samples each of them sees.
    pub fn geometry(&self) -> FrameGeometry {
        FrameGeometry::of_layers(self.conv_layers.iter().map(|it| (it.kernel_size, it.stride)))
    }

    /// Frames that a wave of `samples` gives.
    pub fn frames(&self, samples: usize) -> usize {
        self.geometry().frames(samples)
    }

    /// Checks that the numbers describe a model.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn validate(&self) -> Result<(), HubertError> {
        self.check_sizes()?;
        self.check_convolutions()?;
        self.check_divides("n_heads", self.n_heads)?;
        self.check_divides("position_groups", self.position_groups)?;
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(HubertError::Dropout { found: self.dropout });
        }
        Ok(())
    }

    /// Channels that leave the front end.
    pub(crate) fn conv_channels(&self) -> usize {
        self.conv_layers.last().map_or(1, |it| it.channels)
    }

    fn check_sizes(&self) -> Result<(), HubertError> {
        let sizes = [
            ("sample_rate_hz", self.sample_rate_hz),
            ("d_model", self.d_model),
            ("n_heads", self.n_heads),
            ("d_feed_forward", self.d_feed_forward),
            ("position_kernel_size", self.position_kernel_size),
            ("position_groups", self.position_groups),
        ];
        match sizes.into_iter().find(|(_, size)| *size == 0) {
            Some((name, _)) => Err(HubertError::ZeroSize { name }),
            None => Ok(()),
        }
    }

    fn check_convolutions(&self) -> Result<(), HubertError> {
        if self.conv_layers.is_empty() {
            return Err(HubertError::NoConvolution);
        }
        for (layer, &ConvLayerConfig { channels, kernel_size, stride }) in
            self.conv_layers.iter().enumerate()
        {
            if [channels, kernel_size, stride].contains(&0) {
                return Err(HubertError::ZeroSize { name: "each number in conv_layers" });
            }
            if stride > kernel_size {
                return Err(HubertError::StrideSkipsSamples { layer, kernel_size, stride });
            }
        }
        Ok(())
    }

    fn check_divides(&self, name: &'static str, parts: usize) -> Result<(), HubertError> {
        if self.d_model.is_multiple_of(parts) {
            return Ok(());
        }
        Err(HubertError::DoesNotDivide { d_model: self.d_model, name, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[track_caller]
    fn check_refused(change: impl Fn(&mut HubertConfig), expected: HubertError) {
        let mut config = presets::tiny();
        change(&mut config);
        assert_eq!(config.init(&Device::default()).unwrap_err(), expected);
    }

    #[test]
    fn names_the_convolution_that_skips_samples() {
        let expected = HubertError::StrideSkipsSamples { layer: 2, kernel_size: 3, stride: 4 };
        check_refused(|it| it.conv_layers[2].stride = 4, expected);
    }

    #[test]
    fn refuses_no_convolution() {
        check_refused(|it| it.conv_layers.clear(), HubertError::NoConvolution);
    }

    #[test]
    fn names_a_size_of_zero() {
        check_refused(|it| it.d_feed_forward = 0, HubertError::ZeroSize { name: "d_feed_forward" });
    }

    #[test]
    fn names_what_does_not_divide() {
        let expected = HubertError::DoesNotDivide { d_model: 160, name: "n_heads", parts: 7 };
        check_refused(|it| it.n_heads = 7, expected);
    }

    #[test]
    fn refuses_a_dropout_of_one() {
        check_refused(|it| it.dropout = 1.0, HubertError::Dropout { found: 1.0 });
    }

    #[test]
    fn presets_have_their_published_size() {
        // transformers' HubertModel has 94 371 712 parameters, 768 of them the mask embedding.
        let device = Device::default();
        assert_eq!(presets::base().init(&device).unwrap().num_params(), 94_371_712 - 768);
        assert_eq!(presets::tiny().init(&device).unwrap().num_params(), 1_591_808);
    }

    #[test]
    fn json_keeps_every_number() {
        let json = presets::base().to_string();
        assert_eq!(HubertConfig::load_binary(json.as_bytes()).unwrap(), presets::base());
    }
}
