//! The numbers that describe a SoundStream.

use burn::config::Config;

use serde::{Deserialize, Serialize};

use crate::{Channels, CodecError, FilmSide, LocalAttentionConfig, QuantizerConfig};

/// Sizes of a [`SoundStream`](crate::SoundStream).
///
/// A file may leave out the last three, as one does that is written without them; a key that is none
/// of these is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoundStreamConfig {
    /// Samples per second of the waves it takes and makes.
    pub sample_rate_hz: usize,
    /// Channels of the encoder's first layer (C_enc in the paper); they double at each stride.
    pub encoder_channels: usize,
    /// Channels of the decoder's last block (C_dec in the paper).
    pub decoder_channels: usize,
    /// Strides of the encoder's blocks; their product is the hop.
    pub strides: Vec<usize>,
    /// Dimensions of a frame's vector (D in the paper).
    pub dimension: usize,
    /// The quantizer between encoder and decoder.
    pub quantizer: QuantizerConfig,
    /// The channels of the waves it takes and makes.
    #[serde(default, skip_serializing_if = "is_mono")]
    pub channels: Channels,
    /// Attention after the encoder's last convolution and before the decoder's first, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<LocalAttentionConfig>,
    /// Where noise can be left out, if anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<FilmSide>,
}

impl Config for SoundStreamConfig {}

fn is_mono(channels: &Channels) -> bool {
    *channels == Channels::Mono
}

impl SoundStreamConfig {
    /// Samples of one frame.
    pub fn hop_samples(&self) -> usize {
        self.strides.iter().product()
    }

    /// Frames per second.
    pub fn frames_per_second(&self) -> f64 {
        self.sample_rate_hz as f64 / self.hop_samples() as f64
    }

    /// Bits per second with every quantizer.
    pub fn bits_per_second(&self) -> f64 {
        self.frames_per_second() * self.quantizer.bits_per_frame()
    }

    /// Names the first number that describes no codec.
    pub(crate) fn validate(&self) -> Result<(), CodecError> {
        let positive = [("sample_rate_hz", self.sample_rate_hz), ("dimension", self.dimension)];
        for (field, value) in positive {
            require(value > 0, field, "at least 1", value)?;
        }
        for (field, value) in [
            ("encoder_channels", self.encoder_channels),
            ("decoder_channels", self.decoder_channels),
        ] {
            require(value > 0 && value.is_multiple_of(2), field, "even and at least 2", value)?;
        }
        self.quantizer.validate()?;
        require(
            !self.strides.is_empty() && !self.strides.contains(&0),
            "strides",
            "one or more, each at least 1",
            format!("{:?}", self.strides),
        )?;
        self.attention.as_ref().map_or(Ok(()), |it| self.validate_attention(it))
    }

    fn validate_attention(&self, attention: &LocalAttentionConfig) -> Result<(), CodecError> {
        let LocalAttentionConfig { n_layers, n_heads, window_frames } = *attention;
        require(n_layers > 0, "attention.n_layers", "at least 1", n_layers)?;
        require(window_frames > 1, "attention.window_frames", "at least 2", window_frames)?;
        let divides = n_heads > 0 && self.dimension.is_multiple_of(n_heads);
        require(divides, "attention.n_heads", "a divisor of dimension", n_heads)
    }

    /// Refuses a codec of more than one channel, for those who have only one to offer.
    ///
    /// # Errors
    /// [`CodecError::NotMono`] for such a codec.
    pub fn require_mono(&self) -> Result<(), CodecError> {
        match self.channels {
            Channels::Mono => Ok(()),
            channels => Err(CodecError::NotMono { found: channels.count() }),
        }
    }
}

pub(crate) fn require(
    holds: bool,
    field: &'static str,
    expected: &'static str,
    found: impl ToString,
) -> Result<(), CodecError> {
    if holds {
        Ok(())
    } else {
        Err(CodecError::Config { field, expected, found: found.to_string() })
    }
}
