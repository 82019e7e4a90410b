//! SoundStream (Zeghidour et al. 2021, arXiv 2107.03312): a neural audio codec with residual
//! vector quantisation.
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

mod code_file;
mod config;
mod decoder;
mod encoder;
mod error;
mod latency;
mod loss;
mod presets;
mod quantizer;
mod residual_unit;
mod sound_stream;
mod transform;

pub use code_file::{
    CodeFile, CodeFileError, CodeFileHeader, CodePacking, CodeReader, CodeWriter, CodecId,
};
pub use config::{ResidualQuantizerConfig, SoundStreamConfig};
pub use decoder::{Decoder, DecoderState};
pub use encoder::{Encoder, EncoderState};
pub use error::CodecError;
pub use loss::MultiScaleMelLoss;
pub use quantizer::{Codebook, CodebookEma, QuantizedOutput, ResidualEma, ResidualQuantizer};
pub use residual_unit::ResidualUnit;
pub use sound_stream::{ReconstructionOutput, SoundStream};
