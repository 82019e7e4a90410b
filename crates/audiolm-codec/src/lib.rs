//! Neural audio codecs with residual vector quantisation: SoundStream (Zeghidour et al. 2021,
//! arXiv 2107.03312), which is trained here, and EnCodec, DAC and Mimi as they were published. All
//! of them are a [`Codec`].
//!
//! A wave becomes one vector per frame through a causal convolutional [`Encoder`]; a
//! [`ResidualQuantizer`] writes each vector as a row of codes, every code refining the ones before
//! it; a mirrored [`Decoder`] turns codes back into sound. Any number of leading codes decodes.
//! Sound that is still arriving is coded chunk by chunk: [`SoundStream::encode_step`] and
//! [`SoundStream::decode_step`].
//!
//! The room takes tensors, never clips, and knows no language model.
//!
//! ```
//! use audiolm_codec::SoundStreamConfig;
//! use burn::prelude::*;
//!
//! let device = Device::default();
//! let codec = SoundStreamConfig::tiny_16khz().init(&device)?;
//! let wave = Tensor::<3>::zeros([1, 1, 1600], &device); // 100 ms
//!
//! let codes = codec.encode(wave);
//! assert_eq!(codes.dims(), [1, 16, 5]); // [batch, quantizer, time]
//!
//! let coarse = codes.slice_dim(1, ..3);
//! assert_eq!(codec.decode(coarse).dims(), [1, 1, 1600]);
//! # Ok::<(), audiolm_codec::CodecError>(())
//! ```

mod bits;
mod code_file;
mod codec;
mod codec_spec;
mod codec_stream;
mod config;
mod dac;
mod decoder;
mod encodec;
mod encoder;
mod error;
mod folder;
mod hub_config;
mod loss;
mod mimi;
#[cfg(test)]
mod parity;
mod pending;
mod presets;
mod quantizer;
mod residual_unit;
mod seanet;
mod sound_stream;
mod transform;

pub use code_file::{CodeFile, CodeFileError, CodeFileHeader, CodecId};
pub use codec::{Codec, CodecConfig};
pub use codec_spec::{CodecKind, CodecSpec};
pub use codec_stream::{DecodeStream, EncodeStream};
pub use config::{ResidualQuantizerConfig, SoundStreamConfig};
pub use dac::{Dac, DacConfig};
pub use decoder::{Decoder, DecoderState};
pub use encodec::{EnCodec, EnCodecConfig};
pub use encoder::{Encoder, EncoderState};
pub use error::CodecError;
pub use loss::MultiScaleMelLoss;
pub use mimi::{Mimi, MimiConfig};
pub use quantizer::{Codebook, CodebookEma, QuantizedOutput, ResidualEma, ResidualQuantizer};
pub use residual_unit::ResidualUnit;
pub use sound_stream::{ReconstructionOutput, SoundStream};
