//! Layers and tools that two or more stages of audiolm share.
//!
//! The room holds what a codec, a semantic model and a transformer have in common and nothing
//! that belongs to one of them: causal convolutions, spectra, k-means, seeded randomness and the
//! strict reading and writing of weights. It knows neither clips nor stages.
//!
//! ```
//! use audiolm_nn::{CausalConv1dConfig, generator};
//! use burn::prelude::*;
//!
//! let device = Device::default();
//! let conv = CausalConv1dConfig::new(1, 8, 7).with_dilation(3).init(&device)?;
//! let wave = Tensor::<3>::zeros([1, 320, 1], &device); // [batch, time, channels]
//! assert_eq!(conv.forward(wave).dims(), [1, 320, 8]);
//!
//! // The same seed, stream and step give the same numbers on every backend.
//! use rand::RngExt;
//! let first: u32 = generator(7, "crops", 0).random();
//! assert_eq!(first, generator(7, "crops", 0).random::<u32>());
//! # Ok::<(), audiolm_nn::ConvError>(())
//! ```

mod attention;
mod banded_product;
mod causal_conv;
mod causal_conv_transpose;
mod causal_product;
mod elu;
mod error;
mod example_norm;
mod fingerprint;
mod gelu;
mod kernels;
pub mod kmeans;
mod leaky_relu;
mod mel;
mod narrow_weights;
mod plane_convolution;
mod position_buckets;
mod product;
mod random;
mod residual_step;
mod silu;
mod spectrogram;
mod weight_file;
mod weight_reader;
mod weights;
mod windows_product;

pub use attention::{AttentionHeads, SeenKeys, native_attention, native_whole_attention};
pub use causal_conv::{CausalConv1d, CausalConv1dConfig, CausalConv1dState};
pub use causal_conv_transpose::{
    CausalConvTranspose1d, CausalConvTranspose1dConfig, CausalConvTranspose1dState,
};
pub use causal_product::{CausalWindows, native_windows_product};
pub use elu::elu;
pub use error::{ConvError, WeightsError};
pub use example_norm::example_norm;
pub use fingerprint::{file_fingerprint, fingerprint};
pub use gelu::gelu;
pub use kernels::{Kernels, install_kernels, listens_natively};
pub use leaky_relu::leaky_relu;
pub use mel::{MelConfig, MelNorm, MelScale, mel_filterbank};
pub use narrow_weights::Weights;
pub use plane_convolution::PlaneConvolution;
pub use position_buckets::{Buckets, Direction};
pub use product::product;
pub use random::{Generator, generator};
pub use residual_step::{ResidualKernels, step_residual};
pub use silu::silu;
pub use spectrogram::{Padding, Spectrum, Stft, StftConfig};
pub use weight_file::{published_weights, shard_names};
pub use weight_reader::WeightReader;
pub use weights::{Precision, load_weights, parameter_count, save_weights};
