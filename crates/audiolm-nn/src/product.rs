//! The product of rows with a matrix, of few rows as fast as memory gives the matrix away.

use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::module::linear;

use crate::kernels::{kernels_of, step_kernels_of};

/// Rows times a matrix: a linear layer without a bias.
///
/// A product of many rows is arithmetic, one of few rows is the reading of the matrix. A backend may
/// have a [kernel](crate::Kernels) for few rows, where no gradient is needed, and for matrices of
/// [bytes](crate::Weights::Int8).
///
/// # Shapes
/// - rows: `[..., d_in]`
/// - matrix: `[d_in, d_out]`
/// - output: `[..., d_out]`
pub fn product<const D: usize>(rows: Tensor<D>, matrix: Tensor<2>) -> Tensor<D> {
    let (mut dims, [d_in, d_out]) = (rows.dims(), matrix.dims());
    let n = dims[..D - 1].iter().product();
    let kernels = match matrix.dtype() {
        DType::F32 => step_kernels_of(&rows, n),
        DType::QFloat(_) => kernels_of(&rows),
        _ => None,
    };
    match kernels {
        Some(kernels) => {
            dims[D - 1] = d_out;
            kernels.rows_product(rows.reshape([n, d_in]), matrix).reshape(dims)
        }
        None => linear(rows, matrix, None),
    }
}
