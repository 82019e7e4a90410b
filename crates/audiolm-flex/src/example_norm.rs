//! The normalisation over all that an example holds.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, Dispatch, Flex, Shape, Slice, TensorMetadata, backend_extension,
};
use burn::prelude::*;

use crate::example_sums;
use crate::gradients::from_inner;

/// [`Kernels::example_norm`](audiolm_nn::Kernels::example_norm) of what flex holds.
pub(crate) fn example_norm(
    x: Tensor<3>,
    scale: Tensor<1>,
    offset: Tensor<1>,
    smallest: f32,
) -> Tensor<3> {
    let [scale, offset] = [scale, offset].map(Tensor::into_dispatch);
    let x = x.into_dispatch();
    Tensor::from_dispatch(<Dispatch as ExampleNormOps>::example_norm(x, scale, offset, smallest))
}

#[backend_extension(Flex, Autodiff)]
trait ExampleNormOps: Backend {
    /// Zero mean and unit variance for each example, then a scale and an offset for each channel.
    fn example_norm(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        offset: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self>;

    /// The gradient of the input.
    fn example_norm_gradient(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self>;

    /// The gradients of scale and offset, a row each.
    fn example_norm_affine_gradients(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self>;
}

impl ExampleNormOps for Flex {
    fn example_norm(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        offset: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self> {
        example_sums::forward(x, scale, offset, smallest)
    }

    fn example_norm_gradient(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self> {
        example_sums::input_gradient(gradient, x, scale, smallest)
    }

    fn example_norm_affine_gradients(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self> {
        example_sums::affine_gradients(gradient, x, smallest)
    }
}

impl<B: ExampleNormOps, C: CheckpointStrategy> ExampleNormOps for Autodiff<B, C> {
    fn example_norm(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        offset: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self> {
        tracked::<B, C>([x, scale, offset], smallest)
    }

    fn example_norm_gradient(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self> {
        let [gradient, x, scale] = [gradient, x, scale].map(|it| it.into_primitive());
        from_inner::<B, C>(B::example_norm_gradient(gradient, x, scale, smallest))
    }

    fn example_norm_affine_gradients(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        smallest: f32,
    ) -> FloatTensor<Self> {
        let (gradient, x) = (gradient.into_primitive(), x.into_primitive());
        from_inner::<B, C>(B::example_norm_affine_gradients(gradient, x, smallest))
    }
}

/// The forward pass of input, scale and offset, which remembers the first two.
fn tracked<B: ExampleNormOps, C: CheckpointStrategy>(
    operands: [FloatTensor<Autodiff<B, C>>; 3],
    smallest: f32,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct ExampleNorm;

    impl<B: ExampleNormOps> Backward<B, 3> for ExampleNorm {
        type State = (FloatTensor<B>, FloatTensor<B>, f32);

        fn backward(
            self,
            ops: Ops<Self::State, 3>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let (x, scale, smallest) = ops.state;
            let gradient = grads.consume::<B>(&ops.node);
            let [of_x, of_scale, of_offset] = ops.parents;
            if of_scale.is_some() || of_offset.is_some() {
                let both = B::example_norm_affine_gradients(gradient.clone(), x.clone(), smallest);
                for (index, node) in [of_scale, of_offset].into_iter().enumerate() {
                    let Some(node) = node else { continue };
                    grads.register::<B>(node.id, row::<B>(both.clone(), index));
                }
            }
            if let Some(node) = of_x {
                let gradient = B::example_norm_gradient(gradient, x, scale, smallest);
                grads.register::<B>(node.id, gradient);
            }
        }
    }

    let nodes = operands.each_ref().map(|it| it.node());
    let [x, scale, offset] = operands.map(|it| it.into_primitive());
    let output = B::example_norm(x.clone(), scale.clone(), offset, smallest);
    match ExampleNorm.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((x, scale, smallest), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

/// One row of a matrix.
fn row<B: Backend>(matrix: FloatTensor<B>, index: usize) -> FloatTensor<B> {
    let columns = matrix.shape()[1];
    let slices = [Slice::new(index as isize, Some(index as isize + 1), 1), Slice::full()];
    B::float_reshape(B::float_slice(matrix, &slices), Shape::new([columns]))
}
