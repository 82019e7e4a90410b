//! The leaky rectifier, in few passes over memory.

use burn::prelude::*;
use burn::tensor::activation::relu;

use crate::kernels::kernels_of;

/// `x` where `x > 0`, else `slope * x`: by a [kernel](crate::Kernels) of the backend where it has
/// one, elsewhere in the cheapest passes.
///
/// # Shapes
/// - input and output: any, the same
pub fn leaky_relu<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    match kernels_of(&x) {
        Some(kernels) => {
            let shape = x.dims();
            kernels.leaky_relu(x.flatten(0, D - 1), slope as f32).reshape(shape)
        }
        None => relu(x.clone()) * (1.0 - slope) + x * slope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Tolerance;

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        let device = Device::default().autodiff();
        let x = Tensor::<1>::from_floats([-1e9, -2.0, 0.5, 3.0], &device).require_grad();
        let y = leaky_relu(x.clone(), 0.1);
        let gradient = x.grad(&y.clone().sum().backward()).unwrap();

        let tolerance = Tolerance::<f32>::relative(1e-6);
        let expected = TensorData::from([-1e8_f32, -0.2, 0.5, 3.0]);
        y.into_data().assert_approx_eq(&expected, tolerance);
        let expected = TensorData::from([0.1_f32, 0.1, 1.0, 1.0]);
        gradient.into_data().assert_approx_eq(&expected, tolerance);
    }
}
