//! How far a stream lags behind, and how far back it listens.
//!
//! Both follow from kernels, strides and dilations alone, which are those of
//! [`Encoder`](crate::Encoder), [`Decoder`](crate::Decoder) and
//! [`ResidualUnit`](crate::ResidualUnit).

use crate::SoundStreamConfig;

/// Taps before the last of a kernel of 7.
const PAST_OF_7: usize = 6;
/// Taps before the last of a kernel of 3.
const PAST_OF_3: usize = 2;
/// The dilations of a block's residual units in sum; each has a kernel of 7.
const DILATIONS: usize = 1 + 3 + 9;

impl SoundStreamConfig {
    /// The algorithmic latency: samples that a stream has to hear, its own included, before it can
    /// give back the sound of a sample. Computing comes on top.
    ///
    /// No convolution looks ahead but the strided ones, whose outputs wait for the last of the
    /// frames they merge. Nothing in the decoder waits. So it is the hop, in every configuration.
    pub fn latency_samples(&self) -> usize {
        let waits = self.strides.iter().scan(1, |step, stride| {
            let wait = (stride - 1) * *step;
            *step *= stride;
            Some(wait)
        });
        waits.sum::<usize>() + 1
    }

    /// The receptive field: how many samples before it a sample that comes out depends on, at most.
    pub fn memory_samples(&self) -> usize {
        let hop = self.hop_samples();
        let past_frames = self.decoder_past_frames() + 2 * self.attention_past_frames();
        past_frames * hop + self.encoder_past_samples() + hop - 1
    }

    /// Samples that a frame depends on before its own.
    fn encoder_past_samples(&self) -> usize {
        let (mut past, mut step) = (PAST_OF_7, 1);
        for stride in &self.strides {
            // The kernel of a strided convolution spans two strides.
            past += (PAST_OF_7 * DILATIONS + stride) * step;
            step *= stride;
        }
        past + PAST_OF_3 * step
    }

    /// Frames that attention on either side of the quantizer sees before its own.
    fn attention_past_frames(&self) -> usize {
        self.attention.as_ref().map_or(0, |it| it.n_layers * (it.window_frames - 1))
    }

    /// Frames that a sample depends on before its own.
    fn decoder_past_frames(&self) -> usize {
        let past = self.strides.iter().fold(PAST_OF_7, |past, stride| {
            let past = past + PAST_OF_7 * DILATIONS;
            // A transposed convolution looks one of its input frames back.
            past.div_ceil(*stride) + 1
        });
        past + PAST_OF_7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_of_audiolm_lags_by_20_ms() {
        let config = SoundStreamConfig::audiolm_16khz();
        assert_eq!(config.latency_samples(), 320);
        assert_eq!(SoundStreamConfig::tiny_16khz().latency_samples(), 320);
    }

    #[test]
    fn one_stride_is_counted_by_hand() {
        let config = SoundStreamConfig { strides: vec![4], ..SoundStreamConfig::audiolm_16khz() };
        assert_eq!(config.latency_samples(), 4);
        // 6 of the first layer, 78 of the units, 4 of the stride, 2 frames of the last layer.
        assert_eq!(config.encoder_past_samples(), 6 + 78 + 4 + 2 * 4);
        // 84 samples are 21 frames, one of the upsampling, 6 of the first layer.
        assert_eq!(config.decoder_past_frames(), 21 + 1 + 6);
    }
}
