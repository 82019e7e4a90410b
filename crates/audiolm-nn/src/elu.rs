//! The exponential linear unit, in few passes over memory.

use burn::prelude::*;

use crate::kernels::kernels_of;

/// `x` where `x > 0`, else `exp(x) - 1`.
///
/// On long signals this costs as much as the convolution beside it. A backend may have a
/// [kernel](crate::Kernels) of one pass for it; elsewhere it is a sum of cheap passes.
///
/// # Shapes
/// - input and output: any, the same
pub fn elu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match kernels_of(&x) {
        Some(kernels) => {
            let shape = x.dims();
            kernels.elu(x.flatten(0, D - 1)).reshape(shape)
        }
        None => composed(x),
    }
}

/// Two of the cheapest passes, `r = relu(x)` and `x - r`, keep large numbers from being
/// exponentiated: neither the value nor the gradient can overflow.
fn composed<const D: usize>(x: Tensor<D>) -> Tensor<D> {
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
        let values = [-1e9_f32, -90.0, -17.3, -2.0, -0.5, -1e-3, 0.0, 0.5, 3.0, 200.0, 1e9];
        let x = Tensor::<1>::from_floats(values, &device).require_grad();
        let y = elu(x.clone());
        let gradient = x.grad(&y.clone().sum().backward()).unwrap();

        let expected = values.map(|v| if v > 0.0 { v } else { v.exp() - 1.0 });
        let slope = values.map(|v| if v > 0.0 { 1.0 } else { v.exp() });
        let tolerance = Tolerance::<f32>::absolute(1e-6);
        y.into_data().assert_approx_eq(&TensorData::from(expected), tolerance);
        gradient.into_data().assert_approx_eq(&TensorData::from(slope), tolerance);
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let x = Tensor::<1>::from_floats([f32::NAN, 1.0], &Device::default());
        let y = elu(x).into_data().try_to_vec::<f32>().unwrap();
        assert!(y[0].is_nan() && y[1] == 1.0);
    }
}
