//! The sizes people publish, and ours.

use crate::{Channels, ResidualQuantizerConfig, SoundStreamConfig};

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
            channels: Channels::Mono,
            attention: None,
            film: None,
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
            ..Self::audiolm_16khz()
        }
    }

    /// Mono at 44.1 kHz and 7.8 kbps: the layers of SoundStream with the strides and codebooks of
    /// DAC (arXiv 2306.06546, its training recipe): a hop of 512, 86.1 frames per second, 9 codebooks of 1024
    /// entries. `channels` is C_enc = C_dec.
    pub fn mono_44khz(channels: usize) -> Self {
        Self {
            sample_rate_hz: 44_100,
            strides: vec![2, 4, 8, 8],
            quantizer: ResidualQuantizerConfig::new(9, 1024),
            ..Self::sound_stream_24khz(channels)
        }
    }

    /// Stereo at 48 kHz and 24 kbps: the layers of SoundStream with the strides and codebooks of
    /// EnCodec's 48 kHz model (arXiv 2210.13438, sections 3.1 and 3.2): a hop of 320, 150 frames per second, 16
    /// codebooks of 1024 entries. Unlike that model, it is causal. `channels` is C_enc = C_dec.
    pub fn stereo_48khz(channels: usize) -> Self {
        Self {
            sample_rate_hz: 48_000,
            quantizer: ResidualQuantizerConfig::new(16, 1024),
            channels: Channels::Stereo,
            ..Self::sound_stream_24khz(channels)
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
            ..Self::audiolm_16khz()
        }
    }
}
