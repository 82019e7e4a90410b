//! The codec over recordings of any length, piece by piece.

use std::ops::Range;

use audiolm_codec::SoundStream;
use burn::prelude::*;

/// How long recordings are divided for the codec.
///
/// The codec is causal and sees a limited past, so a piece with enough of it gives exactly what the
/// whole would: memory depends on the piece alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    /// Frames that a piece adds.
    pub(crate) frames: usize,
    /// Frames before them that the codec sees and that are dropped again.
    pub(crate) context: usize,
}

/// 20 s at 50 frames per second. The codec of AudioLM sees 26 frames, less than these 64.
pub(crate) const PIECES: Pieces = Pieces { frames: 1000, context: 64 };

impl Pieces {
    /// The codes of whole frames, `[quantizer][frame]`.
    pub(crate) fn encode(&self, codec: &SoundStream, wave: &[f32], device: &Device) -> Vec<u32> {
        let hop = codec.hop_samples();
        let codes = self.each(wave.len() / hop).map(|piece| {
            let wave = Tensor::<1>::from_floats(&wave[piece.seen(hop)], device);
            codec.encode(wave.unsqueeze()).slice_dim(2, piece.dropped()..)
        });
        let codes: Vec<_> = codes.collect();
        match codes.is_empty() {
            true => Vec::new(),
            false => Tensor::cat(codes, 2).try_into_vec_as().expect("codes are small integers"),
        }
    }

    /// The wave of codes, `[quantizer][frame]`, of the first `n_quantizers`.
    pub(crate) fn decode(
        &self,
        codec: &SoundStream,
        codes: &[u32],
        n_quantizers: usize,
        device: &Device,
    ) -> Vec<f32> {
        let n_frames = codes.len() / n_quantizers;
        let mut wave = Vec::with_capacity(n_frames * codec.hop_samples());
        for piece in self.each(n_frames) {
            let rows = codes.chunks(n_frames).map(|row| &row[piece.start..piece.frames.end]);
            let seen: Vec<i32> = rows.flatten().map(|code| *code as i32).collect();
            let shape = [1, n_quantizers, piece.frames.end - piece.start];
            let codes = Tensor::<3, Int>::from_data(TensorData::new(seen, shape), device);
            let decoded = codec.decode(codes).slice_dim(2, piece.dropped() * codec.hop_samples()..);
            wave.extend(decoded.try_into_vec_as::<f32>().expect("a wave can be read back"));
        }
        wave
    }

    fn each(&self, n_frames: usize) -> impl Iterator<Item = Piece> {
        let Self { frames, context } = *self;
        (0..n_frames).step_by(frames).map(move |first| Piece {
            start: first.saturating_sub(context),
            frames: first..(first + frames).min(n_frames),
        })
    }
}

/// Some frames of a recording.
struct Piece {
    /// The first frame that is seen.
    start: usize,
    /// Those that are kept.
    frames: Range<usize>,
}

impl Piece {
    fn seen(&self, hop: usize) -> Range<usize> {
        self.start * hop..self.frames.end * hop
    }

    fn dropped(&self) -> usize {
        self.frames.start - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_codec::{ResidualQuantizerConfig, SoundStreamConfig};
    use audiolm_nn::generator;
    use burn::tensor::Distribution;

    /// As deep as the codec of AudioLM, so that it sees as far.
    fn codec(device: &Device) -> SoundStream {
        let config = SoundStreamConfig {
            encoder_channels: 2,
            decoder_channels: 2,
            dimension: 8,
            quantizer: ResidualQuantizerConfig::new(3, 16),
            ..SoundStreamConfig::audiolm_16khz()
        };
        let codec = config.init(device).unwrap();
        let noise = Tensor::random([4, 1, 8000], Distribution::Normal(0.0, 0.1), device);
        let vectors = codec.embed(noise);
        codec.fit_codebooks(vectors, &mut generator(0, "codebooks", 0), |_| {})
    }

    #[test]
    fn pieces_are_the_whole() {
        let device = Device::default();
        device.seed(0);
        let codec = codec(&device);
        let wave: Vec<f32> = (0..100 * 320).map(|n| 0.2 * (n as f32 * 0.03).sin()).collect();
        let [pieces, whole] = [7, 1000].map(|frames| Pieces { frames, ..PIECES });

        let codes = whole.encode(&codec, &wave, &device);
        assert_eq!(codes.len(), 3 * 100);
        assert_eq!(pieces.encode(&codec, &wave, &device), codes);

        let expected = whole.decode(&codec, &codes, 3, &device);
        let found = pieces.decode(&codec, &codes, 3, &device);
        assert_eq!(found.len(), wave.len());
        // Products of another length add up in another order.
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
