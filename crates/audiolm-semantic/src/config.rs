//! The numbers that describe an encoder with HuBERT's body.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

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

/// Which numbers of the front end are brought to zero mean and unit variance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrontEndNorm {
    /// Each channel over the whole clip, after the first convolution alone: the base models.
    #[default]
    Clip,
    /// Each frame over its channels, after every convolution: the large models.
    Frame,
}

/// Where a layer of the transformer has its norms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormPlacement {
    /// After each residual sum, and once before the first layer: the base models.
    #[default]
    After,
    /// Before each block, and once after the last layer: the large models.
    Before,
}

/// How loud the waves are that go into the first convolution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaveScale {
    /// As they come.
    #[default]
    AsIs,
    /// Each clip brought to zero mean and unit variance.
    UnitVariance,
}

/// What the attention knows of distances, beside what the positional convolution tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionBias {
    /// Nothing.
    #[default]
    None,
    /// A bias looked up by distance and gated by what enters the layer: WavLM (Chen et al. 2021,
    /// arXiv 2110.13900, section III-A).
    Gated {
        /// Kinds of distances, half of them ahead and half behind.
        n_buckets: usize,
        /// From this distance on, in frames, all are of one kind.
        max_distance: usize,
    },
}

/// Configuration of a [`Hubert`](crate::Hubert): of HuBERT (Hsu et al. 2021, arXiv 2106.07447), and
/// of its relatives with the same body: wav2vec 2.0, WavLM, MERT.
///
/// A file may leave out what is as in HuBERT base from `front_end_norm` on; a key that is none of
/// these is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubertConfig {
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
    /// Samples per second of the waves.
    pub sample_rate_hz: usize,
    /// Taps of the positional convolution.
    pub position_kernel_size: usize,
    /// Groups of the positional convolution.
    pub position_groups: usize,
    /// Share of values dropped in training: of the transformer's input, of the attention weights
    /// and of each block's output.
    pub dropout: f64,
    /// The norms of the front end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub front_end_norm: FrontEndNorm,
    /// Whether the convolutions of the front end add a bias.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conv_bias: bool,
    /// The norms of the transformer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub norm_placement: NormPlacement,
    /// What is done to waves first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wave_scale: WaveScale,
    /// What the attention knows of distances.
    #[serde(default, skip_serializing_if = "is_default")]
    pub position_bias: PositionBias,
}

impl Config for HubertConfig {}

impl std::fmt::Display for HubertConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&burn::config::config_to_json(self))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl HubertConfig {
    /// The shape of HuBERT base in all but these sizes.
    pub fn new(
        conv_layers: Vec<ConvLayerConfig>,
        d_model: usize,
        n_layers: usize,
        n_heads: usize,
        d_feed_forward: usize,
    ) -> Self {
        Self {
            conv_layers,
            d_model,
            n_layers,
            n_heads,
            d_feed_forward,
            sample_rate_hz: 16_000,
            position_kernel_size: 128,
            position_groups: 16,
            dropout: 0.1,
            front_end_norm: FrontEndNorm::Clip,
            conv_bias: false,
            norm_placement: NormPlacement::After,
            wave_scale: WaveScale::AsIs,
            position_bias: PositionBias::None,
        }
    }

    /// With a positional convolution of so many taps.
    pub fn with_position_kernel_size(mut self, taps: usize) -> Self {
        self.position_kernel_size = taps;
        self
    }

    /// With a positional convolution of so many groups.
    pub fn with_position_groups(mut self, groups: usize) -> Self {
        self.position_groups = groups;
        self
    }

    /// With another share of dropped values.
    pub fn with_dropout(mut self, dropout: f64) -> Self {
        self.dropout = dropout;
        self
    }

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
        self.check_buckets()?;
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

    fn check_buckets(&self) -> Result<(), HubertError> {
        let PositionBias::Gated { n_buckets, max_distance } = self.position_bias else {
            return Ok(());
        };
        // A quarter of the buckets hold one distance each; the others lie beyond.
        let fits = n_buckets >= 4 && n_buckets.is_multiple_of(4) && max_distance > n_buckets / 4;
        if fits { Ok(()) } else { Err(HubertError::Buckets { n_buckets, max_distance }) }
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
    fn names_buckets_that_leave_no_distance() {
        let (n_buckets, max_distance) = (320, 80);
        let expected = HubertError::Buckets { n_buckets, max_distance };
        check_refused(
            |it| it.position_bias = PositionBias::Gated { n_buckets, max_distance },
            expected,
        );
    }

    #[test]
    fn files_of_the_base_shape_say_nothing_of_others() {
        let json = presets::base().to_string();
        assert!(!json.contains("norm") && !json.contains("bias"), "{json}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let json = presets::base().to_string().replace("d_model", "d_modle");
        assert!(HubertConfig::load_binary(json.as_bytes()).is_err());
    }

    #[test]
    fn json_keeps_every_number() {
        for config in [presets::base(), presets::hubert_large(), presets::wavlm_large()] {
            let json = config.to_string();
            assert_eq!(HubertConfig::load_binary(json.as_bytes()).unwrap(), config);
        }
    }
}
