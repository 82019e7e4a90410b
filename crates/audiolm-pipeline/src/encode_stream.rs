//! Codes of a wave that comes piece by piece.

use audiolm_codec::{EncoderState, SoundStream};
use burn::prelude::*;

/// A wave on its way to codes. However it is cut, the codec hears it in pieces of one length, so
/// that the codes are those of the whole, to the last one.
#[derive(Debug)]
pub(crate) struct EncodeStream<'a> {
    codec: &'a SoundStream,
    device: &'a Device,
    state: EncoderState,
    piece_samples: usize,
    n_quantizers: usize,
    /// Samples that do not fill a piece yet.
    pending: Vec<f32>,
}

impl<'a> EncodeStream<'a> {
    /// In pieces of so many frames.
    pub(crate) fn new(codec: &'a SoundStream, frames: usize, device: &'a Device) -> Self {
        Self {
            codec,
            device,
            state: codec.encoder().silence(1, device),
            piece_samples: frames * codec.hop_samples(),
            n_quantizers: codec.quantizer().codebooks().len(),
            pending: Vec::new(),
        }
    }

    /// The same, with the codes of so many leading quantizers only.
    pub(crate) fn with_quantizers(self, n_quantizers: usize) -> Self {
        Self { n_quantizers, ..self }
    }

    /// Takes samples, and gives the codes of the pieces that are full: `[frame][quantizer]`.
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

    /// Gives what is left; the last frame is filled up with silence.
    pub(crate) fn finish(mut self) -> Vec<u32> {
        if self.pending.is_empty() {
            return Vec::new();
        }
        let whole = self.pending.len().next_multiple_of(self.codec.hop_samples());
        self.pending.resize(whole, 0.0);
        self.encoded()
    }

    fn encoded(&mut self) -> Vec<u32> {
        let piece = Tensor::<1>::from_floats(&self.pending[..], self.device);
        self.pending.clear();
        let codes = self.codec.encode_step(piece.unsqueeze(), &mut self.state);
        let kept = codes.slice_dim(1, ..self.n_quantizers).swap_dims(1, 2);
        kept.try_into_vec_as().expect("codes are small integers")
    }
}
