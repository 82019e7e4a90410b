//! The kernels of the exponential linear unit.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;

use crate::gradients::from_inner;
use crate::pointwise::{map, scaled};

/// [`Kernels::elu`](audiolm_nn::Kernels::elu) of what flex holds.
pub(crate) fn elu(x: Tensor<1>) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as EluOps>::elu(x.into_dispatch()))
}

#[backend_extension(Flex, Autodiff)]
trait EluOps: Backend {
    /// `x` where `x > 0`, else `exp(x) - 1`.
    fn elu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The gradient of the output `y` times the slope there, which is `1` where `y > 0`, else `y + 1`.
    fn elu_gradient(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl EluOps for Flex {
    fn elu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        map(x, value)
    }

    fn elu_gradient(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        scaled(gradient, y, |y| if y > 0.0 { 1.0 } else { y + 1.0 })
    }
}

impl<B: EluOps, C: CheckpointStrategy> EluOps for Autodiff<B, C> {
    fn elu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        tracked::<B, C>(x)
    }

    fn elu_gradient(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        from_inner::<B, C>(B::elu_gradient(y.into_primitive(), gradient.into_primitive()))
    }
}

/// The forward pass, which remembers its output.
fn tracked<B: EluOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct Elu;

    impl<B: EluOps> Backward<B, 1> for Elu {
        type State = FloatTensor<B>;

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let y = ops.state;
            unary::<B, _>(ops.parents, ops.node, grads, |gradient| B::elu_gradient(y, gradient));
        }
    }

    match Elu.prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let y = B::elu(x.into_primitive());
            prep.finish(y.clone(), y)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::elu(x.into_primitive())),
    }
}

/// Branch-free, so that a compiler makes vectors of it. What is no number stays none.
#[inline(always)]
pub(crate) fn value(x: f32) -> f32 {
    let negative = if x > 0.0 { 0.0 } else { x };
    let exp_m1 = exp(if negative < -87.0 { -87.0 } else { negative }) - 1.0;
    if x > 0.0 { x } else { exp_m1 }
}

/// The exponential of a number from -87 to 0, within two units of the last place.
///
/// With `n` the integer nearest to `x / ln 2`, it is `2^n exp(x - n ln 2)`: the power is an
/// exponent's bits, the rest a Taylor polynomial on `|r| <= ln 2 / 2`. Adding 1.5 * 2^23 leaves `n`
/// in the lowest bits of a sum; `ln 2` in two parts keeps `r` exact.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const C: [f32; 5] = [1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0];
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let exponent = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32 - 127);
    let power = f32::from_bits((exponent as u32) << 23);
    let tail = C[0] + r * (C[1] + r * (C[2] + r * (C[3] + r * C[4])));
    power * (1.0 + r * (1.0 + r * (0.5 + r * tail)))
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn exponential_is_right_to_two_units_of_the_last_place() {
        for step in 0..=870_000 {
            let x = -(step as f32) * 1e-4;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.0 * f64::from(f32::EPSILON), "exp({x}) is off by {error:e}");
        }
    }
}
