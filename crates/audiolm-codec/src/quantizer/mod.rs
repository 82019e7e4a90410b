//! Residual vector quantisation: the contract, one codebook, and how codebooks learn.

mod codebook;
mod ema;
mod residual;

pub use codebook::Codebook;
pub use ema::{CodebookEma, ResidualEma};
pub(crate) use residual::rows;
pub use residual::{QuantizedOutput, ResidualQuantizer};
