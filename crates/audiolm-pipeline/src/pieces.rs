//! The codec over recordings of any length, piece by piece.

use audiolm_codec::Codec;
use burn::prelude::*;

use crate::decode_stream::DecodeStream;
use crate::encode_stream::EncodeStream;

/// How long recordings are divided for the codec: memory depends on the piece alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    /// Samples of a piece, as far as whole frames allow: what memory depends on, while frames of
    /// some codecs are six times as long as those of others.
    pub(crate) samples: usize,
}

/// 4 s at 16 kHz: with SoundStream of published size 20 s take 0.7 GB.
pub(crate) const PIECES: Pieces = Pieces { samples: 64_000 };

impl Pieces {
    /// For a wave that comes little by little.
    pub(crate) fn encoding<'a>(&self, codec: &'a Codec, device: &'a Device) -> EncodeStream<'a> {
        EncodeStream::new(codec, self.frames_of(codec) * codec.spec().hop_samples, device)
    }

    /// For codes that come little by little.
    pub(crate) fn decoding<'a>(&self, codec: &'a Codec, device: &'a Device) -> DecodeStream<'a> {
        DecodeStream::new(codec, self.frames_of(codec), device)
    }

    /// The codes of a wave, `[quantizer][frame]`. The codec completes a last frame that is not
    /// whole.
    pub(crate) fn encode(&self, codec: &Codec, wave: &[f32], device: &Device) -> Vec<u32> {
        let mut stream = self.encoding(codec, device);
        let mut codes = stream.push(wave);
        codes.extend(stream.finish());
        let n_frames = codes.len() / codec.spec().n_quantizers;
        transposed(&codes, n_frames)
    }

    fn frames_of(&self, codec: &Codec) -> usize {
        (self.samples / codec.spec().hop_samples).max(1)
    }
}

/// Rows as columns: a matrix of `n_rows` rows, row by row, becomes one of as many columns.
fn transposed(matrix: &[u32], n_rows: usize) -> Vec<u32> {
    let n_columns = matrix.len().checked_div(n_rows).unwrap_or(0);
    let column = |column: usize| matrix[column..].iter().step_by(n_columns).copied();
    (0..n_columns).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_codec::{QuantizerConfig, SoundStreamConfig};
    use audiolm_nn::generator;
    use burn::tensor::Distribution;
    use proptest::prelude::*;

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

    impl Pieces {
        /// The wave of all codes, `[quantizer][frame]`.
        fn decode(&self, codec: &Codec, codes: &[u32], device: &Device) -> Vec<f32> {
            let mut stream = self.decoding(codec, device);
            let mut wave = stream.push(&transposed(codes, codec.spec().n_quantizers));
            wave.extend(stream.finish());
            wave
        }
    }

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1, 2, 3, 4, 5, 6], 2), [1, 4, 2, 5, 3, 6]);
        assert_eq!(transposed(&[1, 4, 2, 5, 3, 6], 3), [1, 2, 3, 4, 5, 6]);
        assert!(transposed(&[], 0).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_stream_is_the_whole_to_the_bit_however_it_is_cut(
            cuts in prop::collection::vec(1_usize..9_000, 1..9),
        ) {
            let device = Device::default();
            device.seed(0);
            let (codec, pieces) = (codec(&device), Pieces { samples: 20 * 320 });
            let wave: Vec<f32> = (0..30_000).map(|n| 0.2 * (n as f32 * 0.03).sin()).collect();
            let mut stream = pieces.encoding(&codec, &device);
            let mut codes = Vec::new();
            let mut left = &wave[..];
            for cut in cuts.iter().cycle() {
                let (now, later) = left.split_at(left.len().min(*cut));
                codes.extend(stream.push(now));
                left = later;
                if left.is_empty() {
                    break;
                }
            }
            codes.extend(stream.finish());
            let n_frames = wave.len().div_ceil(320);
            let expected = pieces.encode(&codec, &wave, &device);
            prop_assert_eq!(&transposed(&codes, n_frames), &expected);

            let mut stream = pieces.decoding(&codec, &device);
            let frames = codes.chunks(3 * (1 + cuts[0] % 50));
            let mut found: Vec<f32> = frames.flat_map(|it| stream.push(it)).collect();
            found.extend(stream.finish());
            prop_assert_eq!(found, pieces.decode(&codec, &expected, &device));
        }
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

        let expected = whole.decode(&codec, &codes, &device);
        let found = pieces.decode(&codec, &codes, &device);
        assert_eq!(found.len(), wave.len());
        // Products of another length add up in another order.
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
