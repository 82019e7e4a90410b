//! The exponential linear unit, in few passes over memory.

use burn::prelude::*;

/// `x` where `x > 0`, else `exp(x) - 1`.
///
/// Long signals make this as costly as the convolution beside it, so it is written with two of
/// the cheapest passes, `r = relu(x)` and `x - r`, which also never exponentiates a large number:
/// neither the value nor the gradient can overflow.
///
/// # Shapes
/// - input and output: any, the same
pub fn elu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let positive = burn::tensor::activation::relu(x.clone());
    let negative = x - positive.clone();
    positive + (negative.exp() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Tolerance;

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        let device = Device::default().autodiff();
        let values = [-90.0_f32, -2.0, -0.5, 0.5, 3.0, 200.0];
        let x = Tensor::<1>::from_floats(values, &device).require_grad();
        let y = elu(x.clone());
        let gradient = x.grad(&y.clone().sum().backward()).unwrap();

        let expected = values.map(|v| if v > 0.0 { v } else { v.exp() - 1.0 });
        let slope = values.map(|v| if v > 0.0 { 1.0 } else { v.exp() });
        let tolerance = Tolerance::<f32>::absolute(1e-6);
        y.into_data().assert_approx_eq(&TensorData::from(expected), tolerance);
        gradient.into_data().assert_approx_eq(&TensorData::from(slope), tolerance);
    }
}
