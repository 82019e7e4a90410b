//! The sigmoid linear unit.

use burn::prelude::*;

use crate::kernels::kernels_of;

/// `x σ(x)`, with `σ` the logistic function (Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2):
/// also known as swish.
///
/// A backend may have a [kernel](crate::Kernels) of one pass over vectors for it.
///
/// # Shapes
/// - input and output: any, the same
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match kernels_of(&x) {
        Some(kernels) => {
            let shape = x.dims();
            kernels.silu(x.flatten(0, D - 1)).reshape(shape)
        }
        None => burn::tensor::activation::silu(x),
    }
}
