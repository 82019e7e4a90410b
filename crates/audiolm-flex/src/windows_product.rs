//! The product of every window of a signal with a matrix, on a backend whose windows are views.
//!
//! The CPU's products read the overlapping windows where they lie, so that nothing is gathered and
//! no zero is multiplied, in either direction: the gradient of the signal is a product of the
//! windows of the output's gradient, the gradient of the matrix one of the transposed windows.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Shape, Slice, TensorMetadata};

use crate::ops::FlexOps;

/// # Shapes
/// - signal: `[batch, length, channels_in]`
/// - kernel: `[frames * channels_in, channels_out]`
/// - output: `[batch, (length - frames) / step + 1, channels_out]`
pub(crate) fn product<B: Backend>(
    signal: FloatTensor<B>,
    kernel: FloatTensor<B>,
    step: usize,
) -> FloatTensor<B> {
    let [batch, length, channels] = signal.shape().dims();
    let [width, channels_out] = kernel.shape().dims();
    if batch == 1 {
        let flat = B::float_reshape(signal, Shape::new([length * channels]));
        let windows = B::float_unfold(flat, 0, width, step * channels);
        let product = B::float_matmul(windows, kernel);
        let n = product.shape()[0];
        return B::float_reshape(product, Shape::new([1, n, channels_out]));
    }
    let kernel = B::float_reshape(kernel, Shape::new([1, width, channels_out]));
    B::float_matmul(windows::<B>(signal, width, step), kernel)
}

/// The windows of a signal, a row each: `[batch, windows, width]`.
fn windows<B: Backend>(signal: FloatTensor<B>, width: usize, step: usize) -> FloatTensor<B> {
    let [batch, length, channels] = signal.shape().dims();
    let flat = B::float_reshape(signal, Shape::new([batch, length * channels]));
    B::float_unfold(flat, 1, width, step * channels)
}

/// The forward pass, which remembers what it multiplied.
pub(crate) fn tracked<B: FlexOps, C: CheckpointStrategy>(
    signal: FloatTensor<Autodiff<B, C>>,
    kernel: FloatTensor<Autodiff<B, C>>,
    step: usize,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct WindowsProduct;

    impl<B: FlexOps> Backward<B, 2> for WindowsProduct {
        type State = (FloatTensor<B>, FloatTensor<B>, usize);

        fn backward(
            self,
            ops: Ops<Self::State, 2>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let (signal, kernel, step) = ops.state;
            let [_, length, channels] = signal.shape().dims();
            let width = kernel.shape()[0];
            binary::<B, _, _>(
                ops.parents,
                ops.node,
                grads,
                |gradient| signal_gradient::<B>(gradient, kernel, [length, channels, step]),
                |gradient| kernel_gradient::<B>(gradient, windows::<B>(signal, width, step)),
            );
        }
    }

    match WindowsProduct.prepare::<C>([signal.node(), kernel.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let (signal, kernel) = (signal.into_primitive(), kernel.into_primitive());
            let product = B::windows_product(signal.clone(), kernel.clone(), step);
            prep.finish((signal, kernel, step), product)
        }
        OpsKind::UnTracked(prep) => {
            prep.finish(B::windows_product(signal.into_primitive(), kernel.into_primitive(), step))
        }
    }
}

/// `[width, channels_out]`
fn kernel_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    windows: FloatTensor<B>,
) -> FloatTensor<B> {
    let [_, width, channels_out] = [0, windows.shape()[2], gradient.shape()[2]];
    let products = B::float_matmul(B::float_transpose(windows), gradient);
    B::float_reshape(B::float_sum_dim(products, 0), Shape::new([width, channels_out]))
}

/// `[batch, length, channels]`
///
/// A block of `step` frames lies in `past` windows, its own and those before it: its gradient is
/// the window of their gradients times the kernel, cut into blocks and turned around.
fn signal_gradient<B: FlexOps>(
    gradient: FloatTensor<B>,
    kernel: FloatTensor<B>,
    [length, channels, step]: [usize; 3],
) -> FloatTensor<B> {
    let [batch, n, channels_out] = gradient.shape().dims();
    let block = step * channels;
    let width = kernel.shape()[0];
    let past = width.div_ceil(block);
    let kernel = padded::<B>(kernel, 0, [0, past * block - width]);
    let kernel = B::float_reshape(kernel, Shape::new([past, block, channels_out]));
    let kernel = B::float_permute(B::float_flip(kernel, &[0]), &[0, 2, 1]);
    let kernel = B::float_reshape(kernel, Shape::new([past * channels_out, block]));
    let gradient = padded::<B>(gradient, 1, [past - 1, past - 1]);
    let blocks = B::windows_product(gradient, kernel, 1);
    let reached = (n + past - 1) * step;
    let signal = B::float_reshape(blocks, Shape::new([batch, reached, channels]));
    match reached {
        _ if reached < length => padded::<B>(signal, 1, [0, length - reached]),
        _ if reached > length => {
            let slices = [Slice::full(), Slice::new(0, Some(length as isize), 1), Slice::full()];
            B::float_slice(signal, &slices)
        }
        _ => signal,
    }
}

/// Zeros before and after along a dimension.
fn padded<B: Backend>(tensor: FloatTensor<B>, dim: usize, zeros: [usize; 2]) -> FloatTensor<B> {
    let (device, dtype) = (tensor.device(), tensor.dtype());
    let silence = |n| {
        let mut shape = tensor.shape();
        shape[dim] = n;
        B::float_zeros(shape, &device, dtype.into())
    };
    let parts = [(zeros[0], silence(zeros[0])), (1, tensor.clone()), (zeros[1], silence(zeros[1]))];
    B::float_cat(parts.into_iter().filter(|it| it.0 > 0).map(|it| it.1).collect(), dim)
}
