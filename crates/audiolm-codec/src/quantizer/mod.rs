//! What stands between encoder and decoder: one enum, the kinds behind it, and how they learn.

mod chain;
mod codebook;
mod config;
mod ema;
mod factorized;
mod finite_scalar;
mod output;
mod principal;
mod projection;
mod residual;

use audiolm_nn::Generator;
use burn::prelude::*;

pub(crate) use chain::rows;
pub use codebook::Codebook;
pub use config::{
    FactorizedQuantizerConfig, FiniteScalarQuantizerConfig, QuantizerConfig,
    ResidualQuantizerConfig,
};
pub use ema::{CodebookEma, ResidualEma};
pub use factorized::FactorizedQuantizer;
pub use finite_scalar::FiniteScalarQuantizer;
pub use output::QuantizedOutput;
pub use residual::ResidualQuantizer;

/// Writes vectors as rows of codes, every code refining the ones before it.
#[derive(Module, Debug)]
pub enum Quantizer {
    /// Codebooks learnt by averages (SoundStream, EnCodec).
    Residual(ResidualQuantizer),
    /// Small codebooks of directions learnt by gradients (DAC).
    Factorized(FactorizedQuantizer),
    /// Rounded numbers, and no codebook at all (FSQ).
    FiniteScalar(FiniteScalarQuantizer),
}

/// `$body` with the quantizer of whatever kind as `$it`.
macro_rules! of_any_kind {
    ($quantizer:expr, $it:ident => $body:expr) => {
        match $quantizer {
            Quantizer::Residual($it) => $body,
            Quantizer::Factorized($it) => $body,
            Quantizer::FiniteScalar($it) => $body,
        }
    };
}

impl Quantizer {
    /// Codes of a frame.
    pub fn n_quantizers(&self) -> usize {
        of_any_kind!(self, it => it.n_quantizers())
    }

    /// Different codes of each quantizer.
    pub fn codebook_size(&self) -> usize {
        of_any_kind!(self, it => it.codebook_size())
    }

    /// # Shapes
    /// - frames: `[batch, time, dimension]`
    /// - output: `[batch, quantizer, time]`
    pub fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        of_any_kind!(self, it => it.encode(frames))
    }

    /// The vectors of codes, from any number of leading quantizers.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at most the number of quantizers
    /// - output: `[batch, time, dimension]`
    ///
    /// # Panics
    /// Where there are no codes, or more rows of them than quantizers.
    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        of_any_kind!(self, it => it.decode(codes))
    }

    /// Quantises with gradients, each example by its own number of leading quantizers (quantizer
    /// dropout, arXiv 2107.03312, section III-C).
    ///
    /// # Shapes
    /// - input: `[batch, time, dimension]`
    /// - active: one number for each example
    ///
    /// # Panics
    /// Where `active` has another length than the batch.
    pub fn forward(&self, input: Tensor<3>, active: &[usize]) -> QuantizedOutput {
        of_any_kind!(self, it => it.forward(input, active))
    }

    /// The quantizer that suits `vectors` `[n, dimension]` as well as can be said without training.
    /// `on_quantizer` is called after each in the row with the number of those that are done.
    ///
    /// # Panics
    /// Where there are fewer vectors than entries of a codebook.
    pub fn fitted(
        self,
        vectors: Tensor<2>,
        rng: &mut Generator,
        on_quantizer: impl FnMut(usize),
    ) -> Self {
        match self {
            Self::Residual(it) => Self::Residual(it.fitted(vectors, rng, on_quantizer)),
            Self::Factorized(it) => Self::Factorized(it.fitted(vectors, rng, on_quantizer)),
            Self::FiniteScalar(it) => Self::FiniteScalar(it.fitted(vectors, rng, on_quantizer)),
        }
    }

    /// The codebooks that learn by averages, coarsest first; none where gradients do all.
    pub fn codebooks(&self) -> &[Codebook] {
        match self {
            Self::Residual(it) => it.codebooks(),
            Self::Factorized(_) | Self::FiniteScalar(_) => &[],
        }
    }

    fn with_codebooks(self, codebooks: Vec<Codebook>) -> Self {
        match self {
            Self::Residual(it) => Self::Residual(it.with_codebooks(codebooks)),
            by_gradients => by_gradients,
        }
    }
}
