//! The product of every window of a signal with a matrix, on a backend whose windows are views.
//!
//! The CPU's products read the overlapping windows where they lie, so that nothing is gathered and
//! no zero is multiplied, in either direction: the gradient of the signal is a product of the
//! windows of the output's gradient, the gradient of the matrix one of the transposed windows.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Flex, Shape, Slice, TensorMetadata};
use rayon::prelude::*;

use crate::pointwise::{tensor, values};

/// Numbers of a long product that are made at a time.
const PART: usize = 1 << 20;

/// Numbers that one core copies at a time.
const COPIED: usize = 1 << 17;

/// # Shapes
/// - signal: `[batch, length, channels_in]`
/// - kernel: `[frames * channels_in, channels_out]`
/// - output: `[batch, (length - frames) / step + 1, channels_out]`
pub(crate) fn product(signal: FlexTensor, kernel: FlexTensor, step: usize) -> FlexTensor {
    let [batch, length, channels] = signal.shape().dims();
    let [width, channels_out] = kernel.shape().dims();
    if batch == 1 {
        let flat = Flex::float_reshape(signal, Shape::new([length * channels]));
        let windows = Flex::float_unfold(flat, 0, width, step * channels);
        let product = long_product(windows, kernel);
        let n = product.shape()[0];
        return Flex::float_reshape(product, Shape::new([1, n, channels_out]));
    }
    let kernel = Flex::float_reshape(kernel, Shape::new([1, width, channels_out]));
    Flex::float_matmul(windows(signal, width, step), kernel)
}

/// Many rows times a matrix.
///
/// Before it multiplies, flex fills what a product is to be written to, and copies that, on one core.
/// Of long products that is a good part of the time, for each page of memory is then a new one: they
/// are made of shorter ones, which use the same memory again.
fn long_product(rows: FlexTensor, matrix: FlexTensor) -> FlexTensor {
    let (n, columns) = (rows.shape()[0], matrix.shape()[1]);
    let at_a_time = (PART / columns).max(1);
    if n < 2 * at_a_time {
        return Flex::float_matmul(rows, matrix);
    }
    let mut output = vec![0.0; n * columns];
    for (part, output) in output.chunks_mut(at_a_time * columns).enumerate() {
        let first = part * at_a_time;
        let these = Slice::from(first..first + output.len() / columns);
        let rows = Flex::float_slice(rows.clone(), &[these, Slice::full()]);
        let product = Flex::float_matmul(rows, matrix.clone());
        let copied = output.par_chunks_mut(COPIED).zip(values(&product).par_chunks(COPIED));
        copied.for_each(|(output, product)| output.copy_from_slice(product));
    }
    tensor(output, Shape::new([n, columns]))
}

/// The windows of a signal, a row each: `[batch, windows, width]`.
pub(crate) fn windows(signal: FlexTensor, width: usize, step: usize) -> FlexTensor {
    let [batch, length, channels] = signal.shape().dims();
    let flat = Flex::float_reshape(signal, Shape::new([batch, length * channels]));
    Flex::float_unfold(flat, 1, width, step * channels)
}

/// `[width, channels_out]`
pub(crate) fn kernel_gradient(gradient: FlexTensor, windows: FlexTensor) -> FlexTensor {
    let [_, width, channels_out] = [0, windows.shape()[2], gradient.shape()[2]];
    let products = Flex::float_matmul(Flex::float_transpose(windows), gradient);
    Flex::float_reshape(Flex::float_sum_dim(products, 0), Shape::new([width, channels_out]))
}

/// `[batch, length, channels]`
///
/// A block of `step` frames lies in `past` windows, its own and those before it: its gradient is
/// the window of their gradients times the kernel, cut into blocks and turned around.
pub(crate) fn signal_gradient(
    gradient: FlexTensor,
    kernel: FlexTensor,
    [length, channels, step]: [usize; 3],
) -> FlexTensor {
    let [batch, n, channels_out] = gradient.shape().dims();
    let block = step * channels;
    let width = kernel.shape()[0];
    let past = width.div_ceil(block);
    let kernel = turned(values(&kernel.to_contiguous()), [past, block, channels_out]);
    let gradient = padded(gradient, 1, [past - 1, past - 1]);
    let blocks = product(gradient, kernel, 1);
    let reached = (n + past - 1) * step;
    let signal = Flex::float_reshape(blocks, Shape::new([batch, reached, channels]));
    match reached {
        _ if reached < length => padded(signal, 1, [0, length - reached]),
        _ if reached > length => {
            let slices = [Slice::full(), Slice::new(0, Some(length as isize), 1), Slice::full()];
            Flex::float_slice(signal, &slices)
        }
        _ => signal,
    }
}

/// The blocks of a kernel, `[past * block, channels_out]` or fewer rows, the last first and each turned
/// around: `[past * channels_out, block]`.
fn turned(kernel: &[f32], [past, block, channels_out]: [usize; 3]) -> FlexTensor {
    let mut turned = vec![0.0; past * channels_out * block];
    turned.par_chunks_exact_mut(block).enumerate().for_each(|(row, to)| {
        let (part, channel) = (past - 1 - row / channels_out, row % channels_out);
        let from = kernel.chunks_exact(channels_out).skip(part * block);
        to.iter_mut().zip(from).for_each(|(to, from)| *to = from[channel]);
    });
    tensor(turned, Shape::new([past * channels_out, block]))
}

/// Zeros before and after along a dimension.
fn padded(tensor: FlexTensor, dim: usize, zeros: [usize; 2]) -> FlexTensor {
    let (device, dtype) = (tensor.device(), tensor.dtype());
    let silence = |n| {
        let mut shape = tensor.shape();
        shape[dim] = n;
        Flex::float_zeros(shape, &device, dtype.into())
    };
    let parts = [(zeros[0], silence(zeros[0])), (1, tensor.clone()), (zeros[1], silence(zeros[1]))];
    Flex::float_cat(parts.into_iter().filter(|it| it.0 > 0).map(|it| it.1).collect(), dim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_product_is_that_of_its_parts() {
        const COLUMNS: usize = 64;
        let n = 2 * PART / COLUMNS + 5;
        let signal: Vec<f32> = (0..n + 2).map(|it| (it % 1009) as f32 * 1e-3).collect();
        let kernel: Vec<f32> = (0..3 * COLUMNS).map(|it| (it % 7) as f32 - 3.0).collect();
        let [of_signal, of_kernel] =
            [(signal.clone(), [1, n + 2, 1].to_vec()), (kernel.clone(), [3, COLUMNS].to_vec())]
                .map(|(values, shape)| tensor(values, Shape::from(shape)));
        let found = product(of_signal, of_kernel, 1);
        assert_eq!(found.shape(), Shape::new([1, n, COLUMNS]));
        for (row, found) in values(&found).chunks_exact(COLUMNS).enumerate() {
            for (column, found) in found.iter().enumerate() {
                let expected: f32 =
                    (0..3).map(|it| signal[row + it] * kernel[it * COLUMNS + column]).sum();
                assert!((found - expected).abs() < 1e-5, "{row}, {column}: {found}");
            }
        }
    }
}
