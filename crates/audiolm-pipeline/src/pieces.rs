//! The codec over recordings of any length, piece by piece.

use audiolm_codec::Codec;
use burn::prelude::*;

/// How long recordings are divided for the codec: memory depends on the piece alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    /// Samples of a piece, as far as whole frames allow: what memory depends on, while frames of
    /// some codecs are six times as long as those of others.
    pub(crate) samples: usize,
}

/// 20 s at 16 kHz.
pub(crate) const PIECES: Pieces = Pieces { samples: 320_000 };

impl Pieces {
    /// The codes of a wave, `[quantizer][frame]`. The codec completes a last frame that is not
    /// whole.
    pub(crate) fn encode(&self, codec: &Codec, wave: &[f32], device: &Device) -> Vec<u32> {
        let mut stream = codec.encode_stream();
        let pieces = wave.chunks(self.frames_of(codec) * codec.spec().hop_samples);
        let mut codes: Vec<_> = pieces
            .filter_map(|samples| {
                let piece = Tensor::<1>::from_floats(samples, device);
                codec.encode_step(piece.unsqueeze(), &mut stream)
            })
            .collect();
        codes.extend(codec.encode_end(stream));
        match codes.is_empty() {
            true => Vec::new(),
            false => Tensor::cat(codes, 2).try_into_vec_as().expect("codes are small integers"),
        }
    }

    /// The wave of codes, `[quantizer][frame]`, of the first `n_quantizers`.
    pub(crate) fn decode(
        &self,
        codec: &Codec,
        codes: &[u32],
        n_quantizers: usize,
        device: &Device,
    ) -> Vec<f32> {
        let n_frames = codes.len() / n_quantizers;
        let mut stream = codec.decode_stream();
        let mut wave = Vec::with_capacity(n_frames * codec.spec().hop_samples);
        let mut keep = |decoded: Option<Tensor<3>>| {
            let samples = decoded.map(|it| it.try_into_vec_as::<f32>());
            wave.extend(samples.into_iter().flat_map(|it| it.expect("a wave can be read back")));
        };
        let frames = self.frames_of(codec);
        for start in (0..n_frames).step_by(frames) {
            let end = (start + frames).min(n_frames);
            let rows = codes.chunks(n_frames).map(|row| &row[start..end]);
            let piece: Vec<i32> = rows.flatten().map(|code| *code as i32).collect();
            let piece = TensorData::new(piece, [1, n_quantizers, end - start]);
            keep(codec.decode_step(Tensor::from_data(piece, device), &mut stream));
        }
        keep(codec.decode_end(stream));
        wave
    }

    fn frames_of(&self, codec: &Codec) -> usize {
        (self.samples / codec.spec().hop_samples).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_codec::{QuantizerConfig, SoundStreamConfig};
    use audiolm_nn::generator;
    use burn::tensor::Distribution;

    /// As deep as the codec of AudioLM.
    fn codec(device: &Device) -> Codec {
        let config = SoundStreamConfig {
            encoder_channels: 2,
            decoder_channels: 2,
            dimension: 8,
            quantizer: QuantizerConfig::residual(3, 16),
            ..SoundStreamConfig::audiolm_16khz()
        };
        let codec = config.init(device).unwrap();
        let noise = Tensor::random([4, 1, 8000], Distribution::Normal(0.0, 0.1), device);
        let vectors = codec.embed(noise);
        let codec = codec.fit_codebooks(vectors, &mut generator(0, "codebooks", 0), |_| {});
        Codec::of_sound_stream(config, codec)
    }

    #[test]
    fn pieces_are_the_whole() {
        let device = Device::default();
        device.seed(0);
        let codec = codec(&device);
        let wave: Vec<f32> = (0..100 * 320).map(|n| 0.2 * (n as f32 * 0.03).sin()).collect();
        let [pieces, whole] = [7, 1000].map(|frames| Pieces { samples: frames * 320 });

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
