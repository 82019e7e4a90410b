//! The product of a few rows with a matrix: what every layer of a decoder does at every step.

use burn::backend::flex::FlexTensor;
use burn::backend::{DType, Shape};
use burn::prelude::TensorData;
use pulp::Arch;
use rayon::prelude::*;

use crate::vectors::{AddScaled, Products, Rows, Vectors};

/// Numbers of a matrix that one core takes at a time.
const PART: usize = 1 << 17;
/// Rows of a matrix that one core takes at least: each part is a sum of its own.
const LEAST_ROWS: usize = 128;

/// # Shapes
/// - rows: `[n, width]`
/// - matrix: `[width, n_out]`
/// - output: `[n, n_out]`
pub(crate) fn product(rows: FlexTensor, matrix: FlexTensor) -> FlexTensor {
    let rows = rows.to_contiguous();
    match matrix.layout().strides() {
        [_, 1] => by_rows(&rows, &matrix),
        [1, _] => by_columns(&rows, &matrix),
        _ => by_rows(&rows, &matrix.to_contiguous()),
    }
}

/// The rows of the matrix are consecutive in memory: they are scaled and added.
fn by_rows(rows: &FlexTensor, matrix: &FlexTensor) -> FlexTensor {
    let [n, width] = rows.layout().shape().dims();
    let n_out = matrix.layout().shape()[1];
    let stride = matrix.layout().strides()[0] as usize;
    let part = LEAST_ROWS.max(PART / n_out.max(1));
    let rows = Rows { numbers: values(rows), stride: width, length: width, n };
    let vectors = Vectors { numbers: numbers(matrix), stride, length: n_out };
    tensor(sum_of_parts(rows, vectors, part, |_, _| {}), [n, n_out])
}

/// The sum of scaled vectors for each row, of parts of so many vectors each, which `finish` is given
/// with their number before they are added.
///
/// The parts are the same however many cores there are, and so is their sum.
pub(crate) fn sum_of_parts<W: Copy + Into<f32> + Sync>(
    rows: Rows,
    vectors: Vectors<W>,
    part: usize,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let size = rows.n * vectors.length;
    let add = |(idx, sums): (usize, &mut [f32])| {
        let first = idx * part;
        let rows = rows.part(first, part.min(rows.length - first));
        Arch::new().dispatch(AddScaled { rows, vectors: vectors.skip(first), sums: &mut *sums });
        finish(idx, sums);
    };
    let mut sums = vec![0.0; size * rows.length.div_ceil(part).max(1)];
    match is_worth_sharing::<W>(rows.length * vectors.length) {
        false => sums.chunks_mut(size).enumerate().for_each(add),
        true => sums.par_chunks_mut(size).enumerate().for_each(add),
    }
    let (total, parts) = sums.split_at_mut(size);
    for part in parts.chunks_exact(size) {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    sums.truncate(size);
    sums
}

/// The columns of the matrix are consecutive in memory: each is multiplied with every row.
fn by_columns(rows: &FlexTensor, matrix: &FlexTensor) -> FlexTensor {
    let [n, width] = rows.layout().shape().dims();
    let n_out = matrix.layout().shape()[1];
    let stride = matrix.layout().strides()[1] as usize;
    let part = (PART / width.max(1)).max(1);
    let rows = Rows { numbers: values(rows), stride: width, length: width, n };
    let vectors = Vectors { numbers: numbers(matrix), stride, length: width };
    let multiply = |(idx, products): (usize, &mut [f32])| {
        let vectors = vectors.skip(idx * part);
        Arch::new().dispatch(Products { rows, vectors, products });
    };
    let mut products = vec![0.0; n * n_out];
    match is_worth_sharing::<f32>(width * n_out) {
        false => products.chunks_mut(part * n).enumerate().for_each(multiply),
        true => products.par_chunks_mut(part * n).enumerate().for_each(multiply),
    }
    tensor(products, [n_out, n]).transpose(0, 1)
}

/// Whether so many numbers take longer to read than other cores to wake up: about 0.1 ms.
pub(crate) fn is_worth_sharing<W>(n_numbers: usize) -> bool {
    n_numbers * size_of::<W>() >= 1 << 21
}

/// All of a tensor in one piece.
pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("contiguous and single precision")
}

/// A matrix from its first number on.
fn numbers(matrix: &FlexTensor) -> &[f32] {
    assert_eq!(matrix.dtype(), DType::F32, "matrices are single precision");
    &matrix.storage::<f32>()[matrix.layout().start_offset()..]
}

pub(crate) fn tensor(values: Vec<f32>, shape: [usize; 2]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, Shape::new(shape)))
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;
    use burn::tensor::{Distribution, Tolerance};

    use crate::step_ops::rows_product;

    /// Sums of some hundred products in another order.
    const ROUNDING: f32 = 1e-3;

    fn noise(shape: [usize; 2]) -> Tensor<2> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
    }

    #[track_caller]
    fn check(rows: Tensor<2>, matrix: Tensor<2>) {
        let expected = rows.clone().matmul(matrix.clone());
        let tolerance = Tolerance::<f32>::absolute(ROUNDING);
        let found = rows_product(rows, matrix);
        found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
    }

    /// Sizes that are and are not multiples of what is taken at a time, in one part and in several.
    const SIZES: [[usize; 2]; 6] = [[1, 1], [7, 3], [64, 64], [300, 70], [513, 130], [256, 1030]];

    #[test]
    fn few_rows_times_a_matrix_are_what_burn_makes_of_them() {
        for [width, n_out] in SIZES {
            for n in [1, 2, 4, 7, 9] {
                check(noise([n, width]), noise([width, n_out]));
                check(noise([n, width]), noise([n_out, width]).transpose());
            }
        }
    }

    #[test]
    fn views_are_multiplied_where_they_lie() {
        let matrix = noise([300, 200]);
        let part = matrix.clone().slice_dim(0, 9..206).slice_dim(1, 60..170);
        check(noise([197, 3]).transpose(), part.clone());
        check(noise([3, 110]), part.transpose());
        check(noise([3, 100]), matrix.slice_dim(0, 0..100).slice_dim(1, 3..4));
    }

    #[test]
    fn a_row_is_the_same_whatever_stands_beside_it() {
        let rows = noise([7, 1000]);
        let matrix = noise([1000, 333]);
        for matrix in [matrix, noise([333, 1000]).transpose()] {
            let together = rows_product(rows.clone(), matrix.clone());
            for row in 0..7 {
                let alone = rows_product(rows.clone().slice_dim(0, row..row + 1), matrix.clone());
                let found = together.clone().slice_dim(0, row..row + 1);
                assert_eq!(alone.into_data(), found.into_data(), "row {row}");
            }
        }
    }
}
