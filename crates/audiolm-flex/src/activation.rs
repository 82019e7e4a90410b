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

#[cfg(test)]
mod tests {
    use burn::prelude::*;
    use burn::tensor::Tolerance;

    /// Of a function of ours and the same of burn, from -10 to 10, and of their slopes.
    #[track_caller]
    fn check(
        ours: impl Fn(Tensor<1>) -> Tensor<1>,
        theirs: impl Fn(Tensor<1>) -> Tensor<1>,
        rounding: f32,
    ) {
        crate::install();
        let device = Device::flex().autodiff();
        let points: Vec<f32> = (-40_000..=40_000).map(|it| it as f32 * 2.5e-4).collect();
        let of = |function: &dyn Fn(Tensor<1>) -> Tensor<1>| {
            let x = Tensor::<1>::from_floats(points.as_slice(), &device).require_grad();
            let y = function(x.clone());
            let gradients = y.clone().sum().backward();
            [y.into_data(), x.grad(&gradients).unwrap().into_data()]
        };
        let tolerance = Tolerance::<f32>::absolute(rounding).set_relative(rounding);
        for (found, expected) in of(&ours).iter().zip(of(&theirs)) {
            found.assert_approx_eq(&expected, tolerance);
        }
    }

    #[test]
    fn values_and_slopes_are_those_of_burn() {
        // The approximation of the error function is good to 1.2e-7, relative, and so is rounding.
        check(audiolm_nn::gelu, burn::tensor::activation::gelu, 5e-7);
        // Where `x` is 10, a slope is ten times the rounding of `1 - σ(x)` away, on either side.
        check(audiolm_nn::silu, burn::tensor::activation::silu, 20.0 * f32::EPSILON);
    }
}
