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
