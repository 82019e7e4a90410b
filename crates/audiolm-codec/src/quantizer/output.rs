//! What a training pass of a quantizer yields.

use burn::prelude::*;

/// What a training pass of a [`Quantizer`](crate::Quantizer) yields.
///
/// To learn, a trainer adds `codebook` and a share of `commitment` to its loss, and gives the whole
/// to [`ResidualEma::learn`](crate::ResidualEma::learn) after its step. Both are right for every
/// kind: what does not apply is zero or empty.
#[derive(Debug, Clone)]
pub struct QuantizedOutput {
    /// `[batch, time, dimension]`; its gradient reaches the input as if nothing had been rounded.
    pub quantized: Tensor<3>,
    /// `[batch, quantizer, time]`, of every quantizer, dropped or not.
    pub codes: Tensor<3, Int>,
    /// How far vectors are from their codes, `[1]`, with gradients of the vectors alone; zero where
    /// vectors cannot stray, as with finite scalars.
    pub commitment: Tensor<1>,
    /// The same with gradients of the codebooks alone, `[1]`; zero where gradients teach none.
    pub codebook: Tensor<1>,
    /// What entered each codebook that learns by averages, `[batch * time, dimension]`; empty where
    /// none does.
    pub residuals: Vec<Tensor<2>>,
}
