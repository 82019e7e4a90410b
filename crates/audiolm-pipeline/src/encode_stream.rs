//! Codes of a wave that comes piece by piece.

use audiolm_codec::Codec;
use burn::prelude::*;

/// A wave on its way to codes. However it is cut, the codec hears it in pieces of one length, so
/// that the codes are those of the whole, to the last one.
#[derive(Debug)]
pub(crate) struct EncodeStream<'a> {
    codec: &'a Codec,
    device: &'a Device,
    past: audiolm_codec::EncodeStream,
    piece_samples: usize,
    n_quantizers: usize,
    /// Samples that do not fill a piece yet.
    pending: Vec<f32>,
}

impl<'a> EncodeStream<'a> {
    /// In pieces of so many samples.
    pub(crate) fn new(codec: &'a Codec, piece_samples: usize, device: &'a Device) -> Self {
        Self {
            codec,
            device,
            past: codec.encode_stream(),
            piece_samples,
            n_quantizers: codec.spec().n_quantizers,
            pending: Vec::new(),
        }
    }

    /// The same, with the codes of so many leading quantizers only.
    pub(crate) fn with_quantizers(self, n_quantizers: usize) -> Self {
        Self { n_quantizers, ..self }
    }

    /// Takes samples, and gives the codes that the pieces complete which are full:
    /// `[frame][quantizer]`.
    pub(crate) fn push(&mut self, wave: &[f32]) -> Vec<u32> {
        let mut codes = Vec::new();
        let mut left = wave;
        while self.pending.len() + left.len() >= self.piece_samples {
            let (filling, rest) = left.split_at(self.piece_samples - self.pending.len());
            self.pending.extend(filling);
            codes.extend(self.encoded());
            left = rest;
        }
        self.pending.extend(left);
        codes
    }

    /// Gives what is left. The codec completes a last frame that is not whole.
    pub(crate) fn finish(mut self) -> Vec<u32> {
        let mut codes = match self.pending.is_empty() {
            true => Vec::new(),
            false => self.encoded(),
        };
        codes.extend(kept(self.codec.encode_end(self.past), self.n_quantizers));
        codes
    }

    fn encoded(&mut self) -> Vec<u32> {
        let piece = Tensor::<1>::from_floats(&self.pending[..], self.device);
        self.pending.clear();
        let codes = self.codec.encode_step(piece.unsqueeze(), &mut self.past);
        kept(codes, self.n_quantizers)
    }
}

/// Codes of the leading quantizers, frame by frame.
fn kept(codes: Option<Tensor<3, Int>>, n_quantizers: usize) -> Vec<u32> {
    let kept = codes.map(|it| it.slice_dim(1, ..n_quantizers).swap_dims(1, 2));
    kept.map_or(Vec::new(), |it| it.try_into_vec_as().expect("codes are small integers"))
}
