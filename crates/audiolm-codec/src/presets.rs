//! The sizes people publish, and ours.

use crate::{
    Channels, FactorizedQuantizerConfig, FiniteScalarQuantizerConfig, QuantizerConfig,
    SoundStreamConfig,
};

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
            quantizer: QuantizerConfig::residual(12, 1024),
            channels: Channels::Mono,
            attention: None,
            film: None,
        }
    }

    /// The codec of AudioLM's piano experiments (arXiv 2209.03143, section IV): 3 codebooks of 2^14
    /// entries, 2.1 kbps, so few that one stage models all of them. The paper names no other size;
    /// the rest is as for [speech](Self::audiolm_16khz).
    pub fn audiolm_piano_16khz() -> Self {
        Self { quantizer: QuantizerConfig::residual(3, 1 << 14), ..Self::audiolm_16khz() }
    }

    /// SoundStream at 24 kHz and 6 kbps (arXiv 2107.03312, section V-A and table I): 75 frames
    /// per second, 8 codebooks of 1024 entries. `channels` is C_enc = C_dec: 32 has 8.4 million
    /// parameters, 16 has 2.4 million.
    pub fn sound_stream_24khz(channels: usize) -> Self {
        Self::uneven_sound_stream_24khz(channels, channels)
    }

    /// The same with an encoder and a decoder of different widths. The paper has C_enc and C_dec of
    /// 16 and 32 (5.5 million parameters), 8 and 32 (4.8), 32 and 16 (5.3), 32 and 8 (4.4): a light
    /// encoder costs next to no quality, a light decoder some.
    pub fn uneven_sound_stream_24khz(encoder_channels: usize, decoder_channels: usize) -> Self {
        Self {
            sample_rate_hz: 24_000,
            encoder_channels,
            decoder_channels,
            strides: vec![2, 4, 5, 8],
            dimension: 256,
            quantizer: QuantizerConfig::residual(8, 1024),
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
            quantizer: QuantizerConfig::residual(9, 1024),
            ..Self::sound_stream_24khz(channels)
        }
    }

    /// Stereo at 48 kHz and 24 kbps: the layers of SoundStream with the strides and codebooks of
    /// EnCodec's 48 kHz model (arXiv 2210.13438, sections 3.1 and 3.2): a hop of 320, 150 frames per second, 16
    /// codebooks of 1024 entries. Unlike that model, it is causal. `channels` is C_enc = C_dec.
    pub fn stereo_48khz(channels: usize) -> Self {
        Self {
            sample_rate_hz: 48_000,
            quantizer: QuantizerConfig::residual(16, 1024),
            channels: Channels::Stereo,
            ..Self::sound_stream_24khz(channels)
        }
    }

    /// The bundled codec: 16 kHz, 50 frames per second, 20 codebooks of 1024 entries, 10 kbps.
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
            quantizer: QuantizerConfig::residual(20, 1024),
            ..Self::audiolm_16khz()
        }
    }
}

impl QuantizerConfig {
    /// SoundStream's 80 bits of a frame as 8 codebooks of 1024 entries, its choice (arXiv
    /// 2107.03312, section V, the trade of depth for codebook size at 6 kbps: ViSQOL 4.01).
    pub fn sound_stream_8x1024() -> Self {
        Self::residual(8, 1024)
    }

    /// The same bits as 16 codebooks of 32 entries (ViSQOL 3.98).
    pub fn sound_stream_16x32() -> Self {
        Self::residual(16, 32)
    }

    /// The same bits as 80 codebooks of 2 entries (ViSQOL 3.92).
    pub fn sound_stream_80x2() -> Self {
        Self::residual(80, 2)
    }

    /// The quantizer of the Descript audio codec at 16 kHz, which has AudioLM's frames and codes
    /// (Kumar et al. 2023, arXiv 2306.06546): 12 codebooks of 1024 entries in 8 dimensions.
    pub fn dac_16khz() -> Self {
        Self::Factorized(FactorizedQuantizerConfig::new(12, 1024, 8))
    }

    /// Finite scalars with about 2^10 codes, 1000 in fact, for each quantizer (Mentzer et al. 2023,
    /// arXiv 2309.15505, table 1).
    pub fn finite_scalar_1000(n_quantizers: usize) -> Self {
        Self::FiniteScalar(FiniteScalarQuantizerConfig::new(n_quantizers, vec![8, 5, 5, 5]))
    }

    /// Finite scalars with about 2^14 codes, 15 360 in fact, for each quantizer (the same table).
    pub fn finite_scalar_15360(n_quantizers: usize) -> Self {
        Self::FiniteScalar(FiniteScalarQuantizerConfig::new(n_quantizers, vec![8, 8, 8, 6, 5]))
    }
}
