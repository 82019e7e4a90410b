//! The product of rows with a matrix of bytes, of which each part of a column has a scale.

use burn::backend::flex::{Flex, FlexQTensor, FlexTensor};
use burn::backend::ops::FloatTensorOps;
use burn::backend::{DType, TensorMetadata};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::rows_product::{sum_of_parts, tensor, values};
use crate::vectors::{Rows, Vectors};

/// From so many rows on the bytes are made numbers first: then that costs less than the product.
const MANY: usize = 16;

/// # Shapes
/// - rows: `[n, width]`
/// - matrix: `[width, n_out]`, in blocks of some rows of one column
/// - output: `[n, n_out]`
pub(crate) fn product(rows: FlexTensor, matrix: FlexQTensor) -> FlexTensor {
    let [n, width] = rows.layout().shape().dims();
    if n >= MANY {
        return Flex::float_matmul(rows, numbers(&matrix));
    }
    let rows = rows.to_contiguous();
    let rows = Rows { numbers: values(&rows), stride: width, length: width, n };
    let n_out = matrix.shape()[1];
    let vectors = Vectors { numbers: bytes(&matrix), stride: n_out, length: n_out };
    let scaled = |part: usize, sums: &mut [f32]| {
        let scales = &matrix.scales()[part * n_out..][..n_out];
        sums.chunks_exact_mut(n_out).for_each(|sum| scale(sum, scales));
    };
    tensor(sum_of_parts(rows, vectors, group(&matrix), scaled), [n, n_out])
}

/// The numbers that the bytes stand for.
fn numbers(matrix: &FlexQTensor) -> FlexTensor {
    let [width, n_out] = matrix.shape().dims();
    let group = group(matrix);
    let mut numbers = vec![0.0; width * n_out];
    let rows = numbers.par_chunks_mut(n_out).zip(bytes(matrix).par_chunks(n_out));
    rows.enumerate().for_each(|(row, (numbers, bytes))| {
        let scales = &matrix.scales()[row / group * n_out..][..n_out];
        Arch::new().dispatch(Numbers { numbers, bytes, scales });
    });
    tensor(numbers, [width, n_out])
}

fn scale(sum: &mut [f32], scales: &[f32]) {
    sum.iter_mut().zip(scales).for_each(|(sum, scale)| *sum *= scale);
}

fn bytes(matrix: &FlexQTensor) -> &[i8] {
    matrix.tensor().as_slice().expect("contiguous bytes")
}

/// Rows that share their scales.
fn group(matrix: &FlexQTensor) -> usize {
    match matrix.dtype() {
        DType::QFloat(scheme) => match scheme.block_size().map(|it| it.as_dim::<2>()) {
            Some([rows, 1]) => rows.into(),
            _ => panic!("expected blocks of one column, found {scheme:?}"),
        },
        other => panic!("expected bytes with scales, found {other:?}"),
    }
}

struct Numbers<'a> {
    numbers: &'a mut [f32],
    bytes: &'a [i8],
    scales: &'a [f32],
}

impl WithSimd for Numbers<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let scaled =
            self.bytes.iter().zip(self.scales).map(|(byte, scale)| f32::from(*byte) * scale);
        self.numbers.iter_mut().zip(scaled).for_each(|(number, scaled)| *number = scaled);
    }
}

#[cfg(test)]
mod tests {
    use audiolm_nn::{Weights, product};
    use burn::nn::{Linear, LinearConfig};
    use burn::prelude::*;
    use burn::tensor::{DType, Distribution, Tolerance};

    /// A layer before and after.
    fn layers(d_in: usize, d_out: usize) -> [Linear; 2] {
        crate::install();
        let layer = LinearConfig::new(d_in, d_out).with_bias(false).init(&Device::flex());
        [layer.clone(), Weights::Int8.of(layer)]
    }

    #[track_caller]
    fn check(d_in: usize, d_out: usize) {
        let [_, narrow] = layers(d_in, d_out);
        let matrix = narrow.weight.val();
        assert!(matches!(matrix.dtype(), DType::QFloat(_)), "bytes are kept as such");
        for n in [1, 3, 4, 6, 40] {
            let normal = Distribution::Normal(0.0, 1.0);
            let rows = Tensor::<2>::random([n, d_in], normal, &Device::flex());
            let expected = rows.clone().matmul(matrix.clone().dequantize());
            let found = product(rows, matrix.clone());
            let tolerance = Tolerance::<f32>::absolute(1e-4);
            found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
        }
    }

    #[test]
    fn products_with_bytes_are_those_with_the_numbers_they_stand_for() {
        check(128, 64);
        check(256, 300);
        // No multiple of 128 rows: parts of 105.
        check(2730, 65);
    }

    #[test]
    fn bytes_are_within_half_a_step_of_the_weights() {
        let [full, narrow] = layers(256, 30);
        let full = full.weight.val();
        let error = (full.clone() - narrow.weight.val().dequantize()).abs();
        let steps = full.abs().reshape([2, 128, 30]).max_dim(1) / 127.0;
        let most = (error.reshape([2, 128, 30]) / steps).max().into_scalar::<f32>();
        assert!((0.4..0.5001).contains(&most), "{most} steps");
    }

    #[test]
    fn columns_that_cannot_be_parted_stay_as_they_are() {
        let [full, narrow] = layers(31, 4);
        assert_eq!(full.weight.val().into_data(), narrow.weight.val().into_data());
    }
}
