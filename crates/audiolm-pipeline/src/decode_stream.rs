//! The wave of codes that come piece by piece.

use audiolm_codec::Codec;
use burn::prelude::*;

/// Codes on their way to a wave. However they are cut, the codec decodes them in pieces of one
/// length, so that the wave is that of the whole, to the last bit.
#[derive(Debug)]
pub(crate) struct DecodeStream<'a> {
    codec: &'a Codec,
    device: &'a Device,
    past: audiolm_codec::DecodeStream,
    piece_frames: usize,
    n_quantizers: usize,
    /// Codes that do not fill a piece yet.
    pending: Vec<u32>,
}

impl<'a> DecodeStream<'a> {
    /// In pieces of so many frames, of all quantizers.
    pub(crate) fn new(codec: &'a Codec, piece_frames: usize, device: &'a Device) -> Self {
        Self {
            codec,
            device,
            past: codec.decode_stream(),
            piece_frames,
            n_quantizers: codec.spec().n_quantizers,
            pending: Vec::new(),
        }
    }

    /// The same, of so many leading quantizers only.
    pub(crate) fn with_quantizers(self, n_quantizers: usize) -> Self {
        Self { n_quantizers, ..self }
    }

    /// Takes codes, `[frame][quantizer]`, and gives the sound that the pieces complete which are
    /// full.
    pub(crate) fn push(&mut self, codes: &[u32]) -> Vec<f32> {
        let piece = self.piece_frames * self.n_quantizers;
        let mut wave = Vec::new();
        let mut left = codes;
        while self.pending.len() + left.len() >= piece {
            let (filling, rest) = left.split_at(piece - self.pending.len());
            self.pending.extend(filling);
            wave.extend(self.decoded());
            left = rest;
        }
        self.pending.extend(left);
        wave
    }

    /// Gives what is left.
    pub(crate) fn finish(mut self) -> Vec<f32> {
        let mut wave = match self.pending.is_empty() {
            true => Vec::new(),
            false => self.decoded(),
        };
        wave.extend(samples(self.codec.decode_end(self.past)));
        wave
    }

    fn decoded(&mut self) -> Vec<f32> {
        let n_frames = self.pending.len() / self.n_quantizers;
        let piece: Vec<i32> = self.pending.drain(..).map(|code| code as i32).collect();
        let piece = TensorData::new(piece, [1, n_frames, self.n_quantizers]);
        let codes = Tensor::<3, Int>::from_data(piece, self.device).swap_dims(1, 2);
        samples(self.codec.decode_step(codes, &mut self.past))
    }
}

fn samples(wave: Option<Tensor<3>>) -> Vec<f32> {
    wave.map_or(Vec::new(), |it| it.try_into_vec_as().expect("a wave can be read back"))
}
