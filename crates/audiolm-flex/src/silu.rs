//! The sigmoid linear unit.

use crate::elu::exp;

/// `x σ(x)`, branch-free, so that a compiler makes vectors of it. What is no number stays none.
#[inline(always)]
pub(crate) fn value(x: f32) -> f32 {
    x * sigmoid(x)
}

#[inline(always)]
pub(crate) fn slope(x: f32) -> f32 {
    let sigmoid = sigmoid(x);
    sigmoid * (1.0 + x * (1.0 - sigmoid))
}

/// `1 / (1 + exp(-x))`, of whose exponentials none is greater than 1.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let negative = -x.abs();
    let small = exp(if negative < -87.0 { -87.0 } else { negative });
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

#[cfg(test)]
mod tests {
    use audiolm_nn::silu;
    use burn::prelude::*;
    use burn::tensor::Tolerance;

    /// An exponential is right to two units of the last place, and a slope is a sum of such.
    const ROUNDING: f32 = 1e-6;

    #[test]
    fn values_and_slopes_are_those_of_burn() {
        crate::install();
        let device = Device::flex().autodiff();
        let values: Vec<f32> = (-40_000..=40_000).map(|it| it as f32 * 1e-3).collect();
        let points = || Tensor::<1>::from_floats(values.as_slice(), &device).require_grad();
        let (ours, theirs) = (points(), points());
        let (y, expected) = (silu(ours.clone()), burn::tensor::activation::silu(theirs.clone()));
        let tolerance = Tolerance::<f32>::absolute(ROUNDING).set_relative(ROUNDING);
        y.clone().into_data().assert_approx_eq(&expected.clone().into_data(), tolerance);
        let slope = ours.grad(&y.sum().backward()).unwrap().into_data();
        let expected = theirs.grad(&expected.sum().backward()).unwrap().into_data();
        slope.assert_approx_eq(&expected, tolerance);
    }

    #[test]
    fn extremes_do_no_harm() {
        crate::install();
        let x = [-1e30, -0.0, 0.0, 1e30, f32::NAN];
        let y = silu(Tensor::<1>::from_floats(x, &Device::flex()));
        let y = y.try_into_vec_as::<f32>().unwrap();
        assert!(y[0] <= 0.0 && y[0] > -1e-5, "{}", y[0]);
        assert_eq!(y[1..4], [0.0, 0.0, 1e30]);
        assert!(y[4].is_nan());
    }
}
