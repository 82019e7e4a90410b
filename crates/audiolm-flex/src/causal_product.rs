//! Causal convolutions: the windows of what was and what comes, with few passes over memory.

use audiolm_nn::CausalWindows;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, Slice, TensorMetadata, backend_extension};
use burn::prelude::*;

use crate::causal_frames::Frames;
use crate::gradients::{channel_sums, from_inner};
use crate::pointwise::values;
use crate::windows_product::{kernel_gradient, product, signal_gradient, windows};

/// [`Kernels::causal_product`](audiolm_nn::Kernels::causal_product) of what flex holds.
pub(crate) fn causal_product(
    [past, chunk]: [Tensor<3>; 2],
    matrix: Tensor<2>,
    bias: Tensor<1>,
    of: CausalWindows,
) -> Tensor<3> {
    let [past, chunk] = [past, chunk].map(Tensor::into_dispatch);
    let (matrix, bias) = (matrix.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(<Dispatch as CausalOps>::causal_product(past, chunk, matrix, bias, of))
}

#[backend_extension(Flex, Autodiff)]
trait CausalOps: Backend {
    /// Every window of what was and what comes times a matrix, and a bias.
    fn causal_product(
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        of: CausalWindows,
    ) -> FloatTensor<Self>;

    /// The gradient of past and chunk, one after the other: `[batch, history + time, channels_in]`.
    fn causal_seen_gradient(
        gradient: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        frames: Frames,
    ) -> FloatTensor<Self>;

    /// The gradient of the kernel.
    fn causal_kernel_gradient(
        gradient: FloatTensor<Self>,
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        frames: Frames,
    ) -> FloatTensor<Self>;
}

impl CausalOps for Flex {
    fn causal_product(
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        of: CausalWindows,
    ) -> FloatTensor<Self> {
        let frames = Frames::of::<Flex>(&past, &chunk, &kernel, of);
        let products = product(frames.laid(past, chunk), kernel, of.step);
        frames.collected(products, values(&bias.to_contiguous()))
    }

    fn causal_seen_gradient(
        gradient: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        frames: Frames,
    ) -> FloatTensor<Self> {
        frames.unlaid(signal_gradient(frames.spread(gradient), kernel, frames.lengths()))
    }

    fn causal_kernel_gradient(
        gradient: FloatTensor<Self>,
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        frames: Frames,
    ) -> FloatTensor<Self> {
        let windows = windows(frames.laid(past, chunk), frames.width(), frames.of.step);
        kernel_gradient(frames.spread(gradient), windows)
    }
}

impl<B: CausalOps, C: CheckpointStrategy> CausalOps for Autodiff<B, C> {
    fn causal_product(
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        of: CausalWindows,
    ) -> FloatTensor<Self> {
        tracked::<B, C>([past, chunk, kernel, bias], of)
    }

    fn causal_seen_gradient(
        gradient: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        frames: Frames,
    ) -> FloatTensor<Self> {
        let (gradient, kernel) = (gradient.into_primitive(), kernel.into_primitive());
        from_inner::<B, C>(B::causal_seen_gradient(gradient, kernel, frames))
    }

    fn causal_kernel_gradient(
        gradient: FloatTensor<Self>,
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        frames: Frames,
    ) -> FloatTensor<Self> {
        let [gradient, past, chunk] = [gradient, past, chunk].map(|it| it.into_primitive());
        from_inner::<B, C>(B::causal_kernel_gradient(gradient, past, chunk, frames))
    }
}

/// The forward pass of past, chunk, kernel and bias, which remembers what it multiplied.
fn tracked<B: CausalOps, C: CheckpointStrategy>(
    operands: [FloatTensor<Autodiff<B, C>>; 4],
    of: CausalWindows,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct CausalProduct;

    impl<B: CausalOps> Backward<B, 4> for CausalProduct {
        type State = ([FloatTensor<B>; 3], CausalWindows);

        fn backward(
            self,
            ops: Ops<Self::State, 4>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let ([past, chunk, kernel], of) = ops.state;
            let frames = Frames::of::<B>(&past, &chunk, &kernel, of);
            let gradient = grads.consume::<B>(&ops.node);
            let [of_past, of_chunk, of_kernel, of_bias] = ops.parents;
            if let Some(node) = of_bias {
                grads.register::<B>(node.id, channel_sums::<B>(gradient.clone()));
            }
            if let Some(node) = of_kernel {
                let gradient = B::causal_kernel_gradient(gradient.clone(), past, chunk, frames);
                grads.register::<B>(node.id, gradient);
            }
            if of_past.is_none() && of_chunk.is_none() {
                return;
            }
            let seen = B::causal_seen_gradient(gradient, kernel, frames);
            let parts = [(of_past, 0, frames.history), (of_chunk, frames.history, frames.time)];
            for (node, first, n) in parts {
                let Some(node) = node else { continue };
                grads.register::<B>(node.id, cut::<B>(seen.clone(), first, n));
            }
        }
    }

    let nodes = operands.each_ref().map(|it| it.node());
    let [past, chunk, kernel, bias] = operands.map(|it| it.into_primitive());
    let output = B::causal_product(past.clone(), chunk.clone(), kernel.clone(), bias, of);
    match CausalProduct.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(([past, chunk, kernel], of), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

/// Some frames of a signal.
fn cut<B: Backend>(signal: FloatTensor<B>, first: usize, n: usize) -> FloatTensor<B> {
    if signal.shape()[1] == n {
        return signal;
    }
    let frames = Slice::new(first as isize, Some((first + n) as isize), 1);
    B::float_slice(signal, &[Slice::full(), frames, Slice::full()])
}
