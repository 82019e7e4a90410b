//! The Gaussian error linear unit.

use burn::prelude::*;

use crate::kernels::kernels_of;

/// `x Φ(x)`, with `Φ` the distribution function of the normal distribution (Hendrycks and Gimpel
/// 2016, arXiv 1606.08415).
///
/// The error function costs as much as the product beside it. A backend may have a
/// [kernel](crate::Kernels) of one pass over vectors for it.
///
/// # Shapes
/// - input and output: any, the same
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match kernels_of(&x) {
        Some(kernels) => {
            let shape = x.dims();
            kernels.gelu(x.flatten(0, D - 1)).reshape(shape)
        }
        None => burn::tensor::activation::gelu(x),
    }
}
