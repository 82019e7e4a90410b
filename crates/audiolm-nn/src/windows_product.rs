//! A convolution as a product of matrices.

use burn::prelude::*;

use crate::banded_product::banded_product;

/// Numbers in one row of the banded product that is aimed at.
const ROW_WIDTH: usize = 128;
/// Longest block; beyond it the zeros beside the kernel outweigh the better shape.
const LONGEST_BLOCK: usize = 32;

/// Every window of consecutive frames, one each `step` frames, times a kernel.
///
/// A block of consecutive frames is one row of a matrix, and the sum over the blocks that an output
/// depends on a product of well-shaped ones, forward and backward, although the matrix of a block also
/// multiplies the zeros beside the kernel: gathering each window costs more.
///
/// # Shapes
/// - signal: `[batch, length, channels_in]`
/// - kernel: `[frames, channels_in, channels_out]`, `frames` at least `step`
/// - output: `[batch, (length - frames) / step + 1, channels_out]`
pub(crate) fn windows_product(signal: Tensor<3>, kernel: Tensor<3>, step: usize) -> Tensor<3> {
    Blocks::new(kernel, step).product(signal)
}

/// How time is cut for the banded product.
struct Blocks {
    kernel: Tensor<3>,
    step: usize,
    /// Output frames of a block.
    outputs: usize,
    /// Input frames of a block.
    inputs: usize,
    /// Blocks of inputs after its own that a block of outputs depends on.
    more: usize,
}

impl Blocks {
    fn new(kernel: Tensor<3>, step: usize) -> Self {
        let [frames, channels_in, _] = kernel.dims();
        let wide = (ROW_WIDTH / (step * channels_in)).min(LONGEST_BLOCK);
        let outputs = match frames - step {
            0 => 1,
            beyond if beyond <= step => wide.max(1),
            _ => wide.max(2),
        };
        let inputs = outputs * step;
        Self { kernel, step, outputs, inputs, more: (frames - step).div_ceil(inputs) }
    }

    fn product(&self, signal: Tensor<3>) -> Tensor<3> {
        let [batch, length, channels_in] = signal.dims();
        let [frames, _, channels_out] = self.kernel.dims();
        let outputs = (length - frames) / self.step + 1;
        let n = outputs.div_ceil(self.outputs);
        let rows = n + self.more;
        let signal = match rows * self.inputs {
            reached if reached < length => signal.slice_dim(1, ..reached),
            reached => padded(signal, 0, reached - length),
        };
        let signal = signal.reshape([batch, rows, self.inputs * channels_in]);
        let products = banded_product(signal, self.bands());
        let whole = products.reshape([batch, n * self.outputs, channels_out]);
        if n * self.outputs == outputs { whole } else { whole.slice_dim(1, ..outputs) }
    }

    /// What each block of inputs adds to a block of outputs, from the outputs' own to the last:
    /// `[inputs * channels_in, outputs * channels_out]` each.
    fn bands(&self) -> Vec<Tensor<2>> {
        let [_, channels_in, _] = self.kernel.dims();
        let matrix = self.matrix();
        let width = self.inputs * channels_in;
        (0..=self.more)
            .map(|it| matrix.clone().slice_dim(0, it * width..(it + 1) * width))
            .collect()
    }

    /// The kernel once for each output of a block, each one step below the one before:
    /// `[(more + 1) * inputs * channels_in, outputs * channels_out]`.
    ///
    /// A column of `height + step` numbers, repeated and cut into columns of `height`, moves down
    /// by one step from each column to the next.
    fn matrix(&self) -> Tensor<2> {
        let [frames, channels_in, channels_out] = self.kernel.dims();
        let height = (self.more + 1) * self.inputs;
        let flat = [1, frames as i32, (channels_in * channels_out) as i32];
        let columns = padded(self.kernel.clone().reshape(flat), 0, height + self.step - frames)
            .repeat_dim(1, self.outputs)
            .slice_dim(1, ..self.outputs * height);
        columns
            .reshape([self.outputs, height, channels_in, channels_out])
            .permute([1, 2, 0, 3])
            .reshape([height * channels_in, self.outputs * channels_out])
    }
}

/// Zeros before and after in time.
pub(crate) fn padded(signal: Tensor<3>, before: usize, after: usize) -> Tensor<3> {
    if before + after == 0 {
        return signal;
    }
    let [batch, _, channels] = signal.dims();
    let zeros = |n| Tensor::zeros([batch, n, channels], &signal.device());
    let parts = [(before, zeros(before)), (usize::MAX, signal.clone()), (after, zeros(after))];
    Tensor::cat(parts.into_iter().filter(|it| it.0 > 0).map(|it| it.1).collect(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    /// Both ways and their gradients, against windows that are gathered one by one.
    #[track_caller]
    fn check(
        batch: usize,
        length: usize,
        [frames, channels_in, channels_out]: [usize; 3],
        step: usize,
    ) {
        let device = Device::default().autodiff();
        device.seed(5);
        let normal = Distribution::Normal(0.0, 1.0);
        let signal = Tensor::<3>::random([batch, length, channels_in], normal, &device);
        let kernel = Tensor::<3>::random([frames, channels_in, channels_out], normal, &device);
        let n = (length - frames) / step + 1;
        let weights = Tensor::<3>::random([batch, n, channels_out], normal, &device);
        let results = |product: &dyn Fn(Tensor<3>, Tensor<3>) -> Tensor<3>| {
            let (signal, kernel) = (signal.clone().require_grad(), kernel.clone().require_grad());
            let product = product(signal.clone(), kernel.clone());
            let gradients = (product.clone() * weights.clone()).sum().backward();
            [product, signal.grad(&gradients).unwrap(), kernel.grad(&gradients).unwrap()]
        };
        let expected = results(&|signal, kernel| {
            let matrix = kernel.reshape([1, frames * channels_in, channels_out]);
            let window = |it: usize| {
                let window = signal.clone().slice_dim(1, it * step..it * step + frames);
                window.reshape([batch, 1, frames * channels_in]).matmul(matrix.clone())
            };
            Tensor::cat((0..n).map(window).collect(), 1)
        });
        let tolerance = Tolerance::<f32>::absolute(1e-4);
        let found = results(&|signal, kernel| windows_product(signal, kernel, step));
        for (expected, found) in expected.iter().zip(found) {
            assert_eq!(expected.dims(), found.dims());
            found.into_data().assert_approx_eq(&expected.to_data(), tolerance);
        }
    }

    #[test]
    fn equals_gathered_windows_with_their_gradients() {
        check(1, 12, [7, 3, 2], 1);
        check(3, 12, [7, 3, 2], 1);
        check(2, 9, [1, 4, 5], 1);
        check(2, 9, [2, 4, 6], 1);
    }

    #[test]
    fn equals_gathered_windows_with_their_gradients_in_steps() {
        check(1, 16, [8, 3, 2], 4);
        check(2, 20, [8, 3, 2], 4);
        check(2, 15, [7, 2, 3], 3);
        check(2, 9, [3, 2, 3], 3);
    }

    #[test]
    fn frames_after_the_last_window_do_not_count() {
        check(1, 19, [8, 3, 2], 4);
        check(2, 27, [8, 3, 2], 4);
        check(2, 14, [3, 2, 3], 3);
    }
}
