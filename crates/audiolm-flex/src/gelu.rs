//! The Gaussian error linear unit.

use crate::elu::exp;

/// `x Φ(x)`, branch-free, so that a compiler makes vectors of it. What is no number stays none.
#[inline(always)]
pub(crate) fn value(x: f32) -> f32 {
    let positive = if x > 0.0 { x } else { 0.0 };
    positive - x.abs() * tail(x.abs())
}

#[inline(always)]
pub(crate) fn slope(x: f32) -> f32 {
    const DENSITY_AT_0: f32 = 0.398_942_3;
    let tail = tail(x.abs());
    let square = x * x * -0.5;
    let density = DENSITY_AT_0 * exp(if square < -87.0 { -87.0 } else { square });
    (if x > 0.0 { 1.0 - tail } else { tail }) + x * density
}

/// The share of a normal distribution beyond `x >= 0`, to a few units of the last place: half the
/// complementary error function, as Chebyshev polynomials within an exponential approximate it
/// (Press et al., Numerical Recipes, section 6.2: 1.2e-7 relative).
#[inline(always)]
fn tail(x: f32) -> f32 {
    const C: [f32; 10] = [
        -1.265_512_2,
        1.000_023_7,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_204,
        1.488_515_9,
        -0.822_152_23,
        0.170_872_77,
    ];
    let z = x * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z);
    let mut sum = C[9];
    for c in [C[8], C[7], C[6], C[5], C[4], C[3], C[2], C[1], C[0]] {
        sum = sum * t + c;
    }
    let exponent = sum - z * z;
    0.5 * t * exp(if exponent < -87.0 { -87.0 } else { exponent })
}

#[cfg(test)]
mod tests {
    use audiolm_nn::gelu;
    use burn::prelude::*;
    use burn::tensor::{DType, Tolerance};

    #[test]
    fn half_precision_goes_without_kernels() {
        crate::install();
        let x = Tensor::<1>::from_floats([-1.0, 2.0], &Device::flex()).cast(DType::F16);
        let [y, z] =
            [gelu(x.clone()), audiolm_nn::elu(x)].map(|it| it.cast(DType::F32).into_data());
        let tolerance = Tolerance::<f32>::absolute(2e-3);
        y.assert_approx_eq(&TensorData::from([-0.158_66_f32, 1.9545]), tolerance);
        z.assert_approx_eq(&TensorData::from([-0.632_12_f32, 2.0]), tolerance);
    }

    #[test]
    fn extremes_do_no_harm() {
        crate::install();
        let x = [f32::NEG_INFINITY, -1e30, -0.0, 0.0, 1e30, f32::NAN];
        let y = gelu(Tensor::<1>::from_floats(x, &Device::flex()));
        let y = y.try_into_vec_as::<f32>().unwrap();
        assert_eq!(y[1..5], [0.0, 0.0, 0.0, 1e30]);
        assert!(y[0] <= 0.0 || y[0].is_nan());
        assert!(y[5].is_nan());
    }
}
