//! Products of blocks of frames with the blocks after them.

use burn::prelude::*;

/// For each block of a signal the sum, over it and the blocks after it, of their products with
/// one matrix each.
///
/// The rows of all examples are multiplied in one go, across the borders between them, and what
/// mixes two examples is cut away at the end. That costs a few rows and saves a copy of the whole
/// signal for every matrix.
///
/// # Shapes
/// - signal: `[batch, n + more, width]`
/// - matrices: `more + 1` of `[width, width_out]`, the first for the block itself
/// - output: `[batch, n, width_out]`
pub(crate) fn banded_product(signal: Tensor<3>, matrices: Vec<Tensor<2>>) -> Tensor<3> {
    let [batch, length, width] = signal.dims();
    let [_, width_out] = matrices[0].dims();
    let more = matrices.len() - 1;
    let rows = signal.reshape([batch * length, width]);
    let whole = batch * length - more;
    let products = matrices
        .into_iter()
        .enumerate()
        .map(|(block, matrix)| rows.clone().slice_dim(0, block..block + whole).matmul(matrix));
    let sum = products.reduce(|sum, it| sum + it).expect("at least one matrix");
    if more == 0 {
        return sum.reshape([batch, length, width_out]);
    }
    let missing = Tensor::zeros([more, width_out], &sum.device());
    let sum = Tensor::cat(vec![sum, missing], 0).reshape([batch, length, width_out]);
    sum.slice_dim(1, ..length - more)
}
