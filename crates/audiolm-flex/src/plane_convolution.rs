//! Convolutions over rows and columns, as products of the windows of a long signal.
//!
//! The rows that an output sees are laid side by side, and the rows of outputs one after another with
//! zeros between them. What is left is a convolution over one axis, whose windows are views: of the
//! whole batch, or of some of its examples where it would not stay in caches, it is one product.

use audiolm_nn::PlaneConvolution;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, Shape, TensorMetadata, backend_extension};
use burn::prelude::*;

use crate::gradients::{channel_sums, from_inner};
use crate::plane_rows::Plane;
use crate::pointwise::{tensor, values};

/// Numbers of the rows that are laid side by side at a time.
const ABREAST: usize = 1 << 21;

/// [`Kernels::convolve_plane`](audiolm_nn::Kernels::convolve_plane) of what flex holds.
pub(crate) fn convolve_plane(
    signal: Tensor<4>,
    kernels: Tensor<4>,
    bias: Tensor<1>,
    of: PlaneConvolution,
) -> Tensor<4> {
    let [signal, kernels] = [signal, kernels].map(Tensor::into_dispatch);
    let bias = bias.into_dispatch();
    Tensor::from_dispatch(<Dispatch as PlaneOps>::convolve_plane(signal, kernels, bias, of))
}

#[backend_extension(Flex, Autodiff)]
trait PlaneOps: Backend {
    /// A convolution over rows and columns.
    fn convolve_plane(
        signal: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        of: PlaneConvolution,
    ) -> FloatTensor<Self>;

    /// The gradient of a signal of this shape.
    fn plane_signal_gradient(
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        kernels: FloatTensor<Self>,
        of: PlaneConvolution,
    ) -> FloatTensor<Self>;

    /// The gradient of kernels of this shape.
    fn plane_kernels_gradient(
        gradient: FloatTensor<Self>,
        signal: FloatTensor<Self>,
        shape: [usize; 4],
        of: PlaneConvolution,
    ) -> FloatTensor<Self>;
}

impl PlaneOps for Flex {
    fn convolve_plane(
        signal: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        of: PlaneConvolution,
    ) -> FloatTensor<Self> {
        convolve(signal, kernels, bias, of)
    }

    fn plane_signal_gradient(
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        kernels: FloatTensor<Self>,
        of: PlaneConvolution,
    ) -> FloatTensor<Self> {
        signal_gradient(gradient, shape, kernels, of)
    }

    fn plane_kernels_gradient(
        gradient: FloatTensor<Self>,
        signal: FloatTensor<Self>,
        shape: [usize; 4],
        of: PlaneConvolution,
    ) -> FloatTensor<Self> {
        kernels_gradient(gradient, signal, shape, of)
    }
}

impl<B: PlaneOps, C: CheckpointStrategy> PlaneOps for Autodiff<B, C> {
    fn convolve_plane(
        signal: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        of: PlaneConvolution,
    ) -> FloatTensor<Self> {
        tracked::<B, C>([signal, kernels, bias], of)
    }

    fn plane_signal_gradient(
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        kernels: FloatTensor<Self>,
        of: PlaneConvolution,
    ) -> FloatTensor<Self> {
        let (gradient, kernels) = (gradient.into_primitive(), kernels.into_primitive());
        from_inner::<B, C>(B::plane_signal_gradient(gradient, shape, kernels, of))
    }

    fn plane_kernels_gradient(
        gradient: FloatTensor<Self>,
        signal: FloatTensor<Self>,
        shape: [usize; 4],
        of: PlaneConvolution,
    ) -> FloatTensor<Self> {
        let (gradient, signal) = (gradient.into_primitive(), signal.into_primitive());
        from_inner::<B, C>(B::plane_kernels_gradient(gradient, signal, shape, of))
    }
}

/// # Shapes
/// - signal: `[batch, rows, columns, channels_in]`
/// - kernels: `[channels_out, channels_in / groups, kernel_rows, kernel_columns]`
/// - bias: `[channels_out]`
/// - output: `[batch, rows', columns', channels_out]`
fn convolve(
    signal: FlexTensor,
    kernels: FlexTensor,
    bias: FlexTensor,
    of: PlaneConvolution,
) -> FlexTensor {
    let plane = Plane::new(signal.shape().dims(), kernels.shape().dims(), of);
    let [signal, kernels, bias] = [signal, kernels, bias].map(|it| it.to_contiguous());
    let matrices = plane.matrices(values(&kernels));
    let mut output = vec![0.0; plane.batch * plane.example_outputs()];
    let examples = plane.examples_abreast(ABREAST);
    let inputs = values(&signal).chunks(examples * plane.example_inputs());
    for (output, input) in output.chunks_mut(examples * plane.example_outputs()).zip(inputs) {
        let windows = plane.windows(input);
        let products = Flex::float_matmul(windows, Flex::float_transpose(matrices.clone()));
        plane.gather(values(&products), values(&bias), output);
    }
    tensor(output, Shape::new(plane.output_shape()))
}

/// The gradient of a signal of this shape.
fn signal_gradient(
    gradient: FlexTensor,
    shape: [usize; 4],
    kernels: FlexTensor,
    of: PlaneConvolution,
) -> FlexTensor {
    let plane = Plane::new(shape, kernels.shape().dims(), of);
    let [gradient, kernels] = [gradient, kernels].map(|it| it.to_contiguous());
    let blocks = plane.blocks(values(&plane.matrices(values(&kernels))));
    let mut output = vec![0.0; plane.batch * plane.example_inputs()];
    let examples = plane.examples_abreast(ABREAST);
    let gradients = values(&gradient).chunks(examples * plane.example_outputs());
    for (output, gradient) in output.chunks_mut(examples * plane.example_inputs()).zip(gradients) {
        let stacked = Flex::float_matmul(plane.gradient_windows(gradient), blocks.clone());
        plane.unstack(values(&stacked), output);
    }
    tensor(output, Shape::new(shape))
}

/// The gradient of kernels of this shape.
fn kernels_gradient(
    gradient: FlexTensor,
    signal: FlexTensor,
    shape: [usize; 4],
    of: PlaneConvolution,
) -> FlexTensor {
    let plane = Plane::new(signal.shape().dims(), shape, of);
    let [signal, gradient] = [signal, gradient].map(|it| it.to_contiguous());
    let examples = plane.examples_abreast(ABREAST);
    let inputs = values(&signal).chunks(examples * plane.example_inputs());
    let gradients = values(&gradient).chunks(examples * plane.example_outputs());
    let parts = inputs.zip(gradients).map(|(input, gradient)| {
        let gradient = Flex::float_transpose(plane.spread(gradient, 0));
        Flex::float_matmul(gradient, plane.windows(input))
    });
    let whole = parts.reduce(Flex::float_add).expect("a batch has examples");
    plane.kernels(values(&whole))
}

/// The forward pass of signal, kernels and bias, which remembers what it multiplied.
fn tracked<B: PlaneOps, C: CheckpointStrategy>(
    operands: [FloatTensor<Autodiff<B, C>>; 3],
    of: PlaneConvolution,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct Convolve;

    impl<B: PlaneOps> Backward<B, 3> for Convolve {
        type State = (FloatTensor<B>, FloatTensor<B>, PlaneConvolution);

        fn backward(
            self,
            ops: Ops<Self::State, 3>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let (signal, kernels, of) = ops.state;
            let gradient = grads.consume::<B>(&ops.node);
            let [of_signal, of_kernels, of_bias] = ops.parents;
            if let Some(node) = of_bias {
                grads.register::<B>(node.id, channel_sums::<B>(gradient.clone()));
            }
            let (shape, kernels_shape) = (signal.shape().dims(), kernels.shape().dims());
            if let Some(node) = of_signal {
                let gradient = B::plane_signal_gradient(gradient.clone(), shape, kernels, of);
                grads.register::<B>(node.id, gradient);
            }
            if let Some(node) = of_kernels {
                let gradient = B::plane_kernels_gradient(gradient, signal, kernels_shape, of);
                grads.register::<B>(node.id, gradient);
            }
        }
    }

    let nodes = operands.each_ref().map(|it| it.node());
    let [signal, kernels, bias] = operands.map(|it| it.into_primitive());
    let output = B::convolve_plane(signal.clone(), kernels.clone(), bias, of);
    match Convolve.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((signal, kernels, of), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}
