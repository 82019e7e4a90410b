//! Neural audio codecs with residual vector quantisation: SoundStream (Zeghidour et al. 2021,
//! arXiv 2107.03312), which is trained here, and EnCodec, DAC and Mimi as they were published. All
//! of them are a [`Codec`].
//!
//! A wave becomes one vector per frame through a causal convolutional [`Encoder`]; a
//! [`Quantizer`] writes each vector as a row of codes, every code refining the ones before it; a
//! mirrored [`Decoder`] turns codes back into sound. Any number of leading codes decodes.
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
//! assert_eq!(codes.dims(), [1, 20, 5]); // [batch, quantizer, time]
//!
//! let coarse = codes.slice_dim(1, ..3);
//! assert_eq!(codec.decode(coarse).dims(), [1, 1, 1600]);
//! # Ok::<(), audiolm_codec::CodecError>(())
//! ```

mod adversarial;
mod attention_layer;
mod channels;
mod code_file;
mod codebook_usage;
mod codec;
mod codec_spec;
mod codec_stream;
mod config;
mod dac;
mod decoder;
mod discriminator;
mod encodec;
mod encoder;
mod error;
mod film;
mod folder;
mod hub_config;
mod latency;
mod local_attention;
mod loss;
mod loss_balancer;
mod mimi;
#[cfg(test)]
mod parity;
mod pending;
mod presets;
mod quantizer;
mod residual_unit;
mod same_codes;
mod seanet;
mod sound_stream;
mod transform;
mod window_bias;

pub use adversarial::{FeatureDistance, discriminator_hinge, feature_matching, generator_hinge};
pub use channels::Channels;
pub use code_file::{
    CodeFile, CodeFileError, CodeFileHeader, CodePacking, CodeReader, CodeWriter, CodecId,
};
pub use codebook_usage::CodebookUsage;
pub use codec::{Codec, CodecConfig};
pub use codec_spec::{CodecKind, CodecSpec};
pub use codec_stream::{DecodeStream, EncodeStream};
pub use config::SoundStreamConfig;
pub use dac::{Dac, DacConfig};
pub use decoder::{Decoder, DecoderState};
pub use discriminator::{
    DiscriminatorConfig, DiscriminatorOutput, DiscriminatorSet, MultiPeriodDiscriminator,
    MultiScaleStftDiscriminator, MultiScaleWaveDiscriminator, StftDiscriminator,
};
pub use encodec::{EnCodec, EnCodecConfig};
pub use encoder::{Encoder, EncoderState};
pub use error::CodecError;
pub use film::{Denoise, Film, FilmSide};
pub use local_attention::{LocalAttention, LocalAttentionConfig, LocalAttentionState};
pub use loss::MultiScaleMelLoss;
pub use loss_balancer::{LossBalancer, WeighedGradient};
pub use mimi::{Mimi, MimiConfig};
pub use quantizer::{
    Codebook, CodebookEma, FactorizedQuantizer, FactorizedQuantizerConfig, FiniteScalarQuantizer,
    FiniteScalarQuantizerConfig, QuantizedOutput, Quantizer, QuantizerConfig, ResidualEma,
    ResidualQuantizer, ResidualQuantizerConfig,
};
pub use residual_unit::ResidualUnit;
pub use sound_stream::{ReconstructionOutput, SoundStream};
