//! Activations that remember their input: the Gaussian error linear unit and the sigmoid one.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;

use crate::gradients::from_inner;
use crate::pointwise::{map, scaled};
use crate::{gelu, silu};

/// A function of each number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Activation {
    /// `x Φ(x)`, whose slope is `Φ(x) + x φ(x)`.
    Gelu,
    /// `x σ(x)`, whose slope is `σ(x) (1 + x (1 - σ(x)))`.
    Silu,
}

impl Activation {
    /// Of all numbers of a signal.
    pub(crate) fn of(self, x: Tensor<1>) -> Tensor<1> {
        Tensor::from_dispatch(<Dispatch as ActivationOps>::activated(x.into_dispatch(), self))
    }
}

#[backend_extension(Flex, Autodiff)]
trait ActivationOps: Backend {
    fn activated(x: FloatTensor<Self>, by: Activation) -> FloatTensor<Self>;

    /// The gradient of the output times the slope at `x`.
    fn activation_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        by: Activation,
    ) -> FloatTensor<Self>;
}

impl ActivationOps for Flex {
    fn activated(x: FloatTensor<Self>, by: Activation) -> FloatTensor<Self> {
        match by {
            Activation::Gelu => map(x, gelu::value),
            Activation::Silu => map(x, silu::value),
        }
    }

    fn activation_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        by: Activation,
    ) -> FloatTensor<Self> {
        match by {
            Activation::Gelu => scaled(gradient, x, gelu::slope),
            Activation::Silu => scaled(gradient, x, silu::slope),
        }
    }
}

impl<B: ActivationOps, C: CheckpointStrategy> ActivationOps for Autodiff<B, C> {
    fn activated(x: FloatTensor<Self>, by: Activation) -> FloatTensor<Self> {
        tracked::<B, C>(x, by)
    }

    fn activation_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        by: Activation,
    ) -> FloatTensor<Self> {
        let (x, gradient) = (x.into_primitive(), gradient.into_primitive());
        from_inner::<B, C>(B::activation_gradient(x, gradient, by))
    }
}

/// The forward pass, which remembers its input.
fn tracked<B: ActivationOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    by: Activation,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct Activated;

    impl<B: ActivationOps> Backward<B, 1> for Activated {
        type State = (FloatTensor<B>, Activation);

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let (x, by) = ops.state;
            unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
                B::activation_gradient(x, gradient, by)
            });
        }
    }

    match Activated.prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let x = x.into_primitive();
            prep.finish((x.clone(), by), B::activated(x, by))
        }
        OpsKind::UnTracked(prep) => prep.finish(B::activated(x.into_primitive(), by)),
    }
}
