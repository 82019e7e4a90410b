//! The sizes people publish, and ours.

use crate::{ResidualQuantizerConfig, SoundStreamConfig};

impl SoundStreamConfig {
    /// The codec of AudioLM (arXiv 2209.03143, section III-B): 16 kHz, 50 frames per second,
    /// 12 codebooks of 1024 entries, 6 kbps; layers as in SoundStream with C = 32.
    pub fn audiolm_16khz() -> Self {
        Self {
            sample_rate_hz: 16_000,
            encoder_channels: 32,
            decoder_channels: 32,
            strides: vec![2, 4, 5, 8],
            dimension: 256,
            quantizer: ResidualQuantizerConfig::new(12, 1024),
        }
    }

    /// SoundStream at 24 kHz and 6 kbps (arXiv 2107.03312, section V-A and table I): 75 frames
    /// per second, 8 codebooks of 1024 entries. `channels` is C_enc = C_dec: 32 has 8.4 million
    /// parameters, 16 has 2.4 million.
    pub fn sound_stream_24khz(channels: usize) -> Self {
        Self {
            sample_rate_hz: 24_000,
            encoder_channels: channels,
            decoder_channels: channels,
            strides: vec![2, 4, 5, 8],
            dimension: 256,
            quantizer: ResidualQuantizerConfig::new(8, 1024),
        }
    }

    /// The bundled codec: 16 kHz, 50 frames per second, 16 codebooks of 1024 entries, 8 kbps.
    ///
    /// The strides are the paper's in reverse, so that few layers run at the rate of samples; what
    /// that costs in quality has not been measured. The encoder has half the decoder's channels,
    /// which the paper finds to cost next to no quality (table I).
    pub fn tiny_16khz() -> Self {
        Self {
            sample_rate_hz: 16_000,
            encoder_channels: 8,
            decoder_channels: 16,
            strides: vec![8, 5, 4, 2],
            dimension: 128,
            quantizer: ResidualQuantizerConfig::new(16, 1024),
        }
    }
}
