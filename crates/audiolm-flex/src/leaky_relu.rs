//! The kernels of the leaky rectifier.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;

use crate::gradients::from_inner;
use crate::pointwise::{map, scaled};

/// [`Kernels::leaky_relu`](audiolm_nn::Kernels::leaky_relu) of what flex holds.
pub(crate) fn leaky_relu(x: Tensor<1>, slope: f32) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as LeakyReluOps>::leaky(x.into_dispatch(), slope))
}

#[backend_extension(Flex, Autodiff)]
trait LeakyReluOps: Backend {
    /// `x` where `x > 0`, else `slope * x`.
    fn leaky(x: FloatTensor<Self>, slope: f32) -> FloatTensor<Self>;

    /// The gradient of the output times the slope at `x`.
    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self>;
}

impl LeakyReluOps for Flex {
    fn leaky(x: FloatTensor<Self>, slope: f32) -> FloatTensor<Self> {
        map(x, move |x| if x > 0.0 { x } else { slope * x })
    }

    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        scaled(gradient, x, move |x| if x > 0.0 { 1.0 } else { slope })
    }
}

impl<B: LeakyReluOps, C: CheckpointStrategy> LeakyReluOps for Autodiff<B, C> {
    fn leaky(x: FloatTensor<Self>, slope: f32) -> FloatTensor<Self> {
        tracked::<B, C>(x, slope)
    }

    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        from_inner::<B, C>(B::leaky_gradient(x.into_primitive(), gradient.into_primitive(), slope))
    }
}

/// The forward pass, which remembers its input.
fn tracked<B: LeakyReluOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    slope: f32,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct LeakyRelu;

    impl<B: LeakyReluOps> Backward<B, 1> for LeakyRelu {
        type State = (FloatTensor<B>, f32);

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let (x, slope) = ops.state;
            unary::<B, _>(ops.parents, ops.node, grads, |it| B::leaky_gradient(x, it, slope));
        }
    }

    match LeakyRelu.prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let x = x.into_primitive();
            prep.finish((x.clone(), slope), B::leaky(x, slope))
        }
        OpsKind::UnTracked(prep) => prep.finish(B::leaky(x.into_primitive(), slope)),
    }
}
