//! Any codec, chunk by chunk.

use burn::prelude::*;
use burn::tensor::{Float, Int};

use crate::codec::{CodecConfig, CodecModel};
use crate::mimi::{MimiDecodeState, MimiEncodeState};
use crate::pending::{Overlap, Pending, Window};
use crate::seanet::SeanetState;
use crate::{Codec, DecoderState, EncoderState};

/// Sound on its way to codes, in chunks of any length. In the end the codes are those of the
/// whole, up to rounding:
///
/// - SoundStream and Mimi code each frame as soon as it is there;
/// - EnCodec reflects the start of its input, so that it waits for the first 7 frames (93 ms);
/// - DAC looks ahead, so that it codes overlapping windows: a frame's codes come 9 frames after it
///   at 16 kHz (180 ms) and 24 kHz (120 ms), 8 at 44.1 kHz (93 ms).
#[derive(Debug, Clone)]
pub struct EncodeStream {
    pending: Pending<Float>,
    past: EncodePast,
}

/// Codes on their way to sound, some frames at a time. In the end the wave is that of the whole, up
/// to rounding. SoundStream and Mimi do not wait; EnCodec waits for the first 7 frames, and DAC for
/// the 11 frames after each at 16 and 24 kHz, 10 at 44.1 kHz.
#[derive(Debug, Clone)]
pub struct DecodeStream {
    pending: Pending<Int>,
    past: DecodePast,
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one of each stream")]
enum EncodePast {
    SoundStream(Option<EncoderState>),
    EnCodec(SeanetState),
    Dac(Overlap<Float>),
    Mimi(Box<MimiEncodeState>),
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one of each stream")]
enum DecodePast {
    SoundStream(Option<DecoderState>),
    EnCodec(SeanetState),
    Dac(Overlap<Int>),
    Mimi(Box<MimiDecodeState>),
}

impl Codec {
    /// A stream of sound that has not begun.
    pub fn encode_stream(&self) -> EncodeStream {
        let hop = self.spec().hop_samples;
        let past = match &self.config {
            CodecConfig::SoundStream(_) => EncodePast::SoundStream(None),
            CodecConfig::EnCodec(_) => EncodePast::EnCodec(SeanetState::default()),
            CodecConfig::Dac(it) => EncodePast::Dac(Overlap::new(hop, it.encoder_reach())),
            CodecConfig::Mimi(_) => EncodePast::Mimi(Box::default()),
        };
        EncodeStream { pending: Pending::new(hop, self.least_frames()), past }
    }

    /// A stream of codes that has not begun.
    pub fn decode_stream(&self) -> DecodeStream {
        let past = match &self.config {
            CodecConfig::SoundStream(_) => DecodePast::SoundStream(None),
            CodecConfig::EnCodec(_) => DecodePast::EnCodec(SeanetState::default()),
            CodecConfig::Dac(it) => DecodePast::Dac(Overlap::new(1, it.decoder_reach())),
            CodecConfig::Mimi(_) => DecodePast::Mimi(Box::default()),
        };
        DecodeStream { pending: Pending::new(1, self.least_frames()), past }
    }

    /// The codes that the next chunk of a stream completes, if any.
    ///
    /// # Shapes
    /// - chunk: `[batch, 1, samples]`, `samples` at least 1
    /// - output: `[batch, quantizer, time]`
    ///
    /// # Panics
    /// Where the stream is one of another codec.
    pub fn encode_step(
        &self,
        chunk: Tensor<3>,
        stream: &mut EncodeStream,
    ) -> Option<Tensor<3, Int>> {
        let ready = stream.pending.with(chunk)?;
        self.encode_ready(ready, &mut stream.past)
    }

    /// The codes of the end of a stream, if they have not come yet. A last frame that is not whole
    /// is completed as [`encode`](Self::encode) does.
    ///
    /// # Shapes
    /// - output: `[batch, quantizer, time]`
    pub fn encode_end(&self, stream: EncodeStream) -> Option<Tensor<3, Int>> {
        let EncodeStream { pending, mut past } = stream;
        let rest = pending.rest().map(|it| match past {
            EncodePast::SoundStream(_) | EncodePast::Dac(_) => self.filled(it),
            EncodePast::EnCodec(_) | EncodePast::Mimi(_) => it,
        });
        let last = rest.and_then(|it| self.encode_ready(it, &mut past));
        let ahead = match (&self.model, past) {
            (CodecModel::Dac(codec), EncodePast::Dac(overlap)) => overlap
                .rest()
                .map(|Window { seen, frames }| codec.encode(seen).slice_dim(2, frames)),
            _ => None,
        };
        joined(last, ahead)
    }

    /// The wave that the next codes of a stream complete, if any.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` and `time` at least 1, `n` the same for all chunks
    /// - output: `[batch, 1, samples]`
    ///
    /// # Panics
    /// Where there are more rows of codes than quantizers, or the stream is one of another codec.
    pub fn decode_step(
        &self,
        codes: Tensor<3, Int>,
        stream: &mut DecodeStream,
    ) -> Option<Tensor<3>> {
        let ready = stream.pending.with(codes)?;
        self.decode_ready(ready, &mut stream.past)
    }

    /// The wave of the end of a stream, if it has not come yet.
    ///
    /// # Shapes
    /// - output: `[batch, 1, samples]`
    pub fn decode_end(&self, stream: DecodeStream) -> Option<Tensor<3>> {
        let DecodeStream { pending, mut past } = stream;
        let last = pending.rest().and_then(|it| self.decode_ready(it, &mut past));
        let ahead = match past {
            DecodePast::Dac(overlap) => overlap.rest().map(|it| self.decoded(it)),
            _ => None,
        };
        joined(last, ahead)
    }

    fn encode_ready(&self, chunk: Tensor<3>, past: &mut EncodePast) -> Option<Tensor<3, Int>> {
        match (&self.model, past) {
            (CodecModel::SoundStream(codec), EncodePast::SoundStream(past)) => {
                let silence = || codec.encoder().silence(chunk.dims()[0], &chunk.device());
                let state = past.get_or_insert_with(silence);
                Some(codec.encode_step(chunk, state))
            }
            (CodecModel::EnCodec(codec), EncodePast::EnCodec(state)) => {
                Some(codec.encode_step(chunk, state))
            }
            (CodecModel::Mimi(codec), EncodePast::Mimi(state)) => {
                Some(codec.encode_step(chunk, state))
            }
            (CodecModel::Dac(codec), EncodePast::Dac(overlap)) => {
                let Window { seen, frames } = overlap.with(chunk)?;
                Some(codec.encode(seen).slice_dim(2, frames))
            }
            _ => panic!("a stream of another codec"),
        }
    }

    fn decode_ready(&self, codes: Tensor<3, Int>, past: &mut DecodePast) -> Option<Tensor<3>> {
        match (&self.model, past) {
            (CodecModel::SoundStream(codec), DecodePast::SoundStream(past)) => {
                let silence = || codec.decoder().silence(codes.dims()[0], &codes.device());
                let state = past.get_or_insert_with(silence);
                Some(codec.decode_step(codes, state))
            }
            (CodecModel::EnCodec(codec), DecodePast::EnCodec(state)) => {
                Some(codec.decode_step(codes, state))
            }
            (CodecModel::Mimi(codec), DecodePast::Mimi(state)) => {
                Some(codec.decode_step(codes, state))
            }
            (CodecModel::Dac(_), DecodePast::Dac(overlap)) => {
                overlap.with(codes).map(|it| self.decoded(it))
            }
            _ => panic!("a stream of another codec"),
        }
    }

    /// The wave of a window's own frames.
    fn decoded(&self, Window { seen, frames }: Window<Int>) -> Tensor<3> {
        let hop = self.spec().hop_samples;
        self.decode(seen).slice_dim(2, frames.start * hop..frames.end * hop)
    }

    /// Frames that a stream has to begin with.
    fn least_frames(&self) -> usize {
        match &self.config {
            CodecConfig::EnCodec(it) => it.least_frames(),
            CodecConfig::SoundStream(_) | CodecConfig::Dac(_) | CodecConfig::Mimi(_) => 1,
        }
    }
}

fn joined<K: burn::tensor::kind::Basic>(
    first: Option<Tensor<3, K>>,
    second: Option<Tensor<3, K>>,
) -> Option<Tensor<3, K>> {
    match (first, second) {
        (Some(first), Some(second)) => Some(Tensor::cat(vec![first, second], 2)),
        (first, second) => first.or(second),
    }
}
