//! The exponential linear unit, in few passes over memory.

use burn::prelude::*;

/// `x` where `x > 0`, else `exp(x) - 1`.
///
/// On long signals this costs as much as the convolution beside it. The CPU has a kernel of one
/// pass for it and one for its gradient; elsewhere it is a sum of cheap passes.
///
/// # Shapes
/// - input and output: any, the same
pub fn elu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let x = match crate::flex_ops::elu(x) {
        Ok(y) => return y,
        Err(x) => x,
    };
    composed(x)
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

    #[track_caller]
    fn check_value_and_gradient(elu: impl Fn(Tensor<1>) -> Tensor<1>) {
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
    fn value_and_gradient_are_those_of_the_formula() {
        check_value_and_gradient(elu);
    }

    #[test]
    fn composed_value_and_gradient_are_those_of_the_formula() {
        check_value_and_gradient(composed);
    }

    #[test]
    fn equals_the_composed_one_on_long_signals_and_views() {
        let device = Device::default();
        device.seed(3);
        let normal = burn::tensor::Distribution::Normal(0.0, 4.0);
        let x = Tensor::<2>::random([301, 700], normal, &device);
        let tolerance = Tolerance::<f32>::absolute(1e-6);
        for view in [x.clone(), x.clone().transpose(), x.slice_dim(0, 7..251)] {
            let expected = composed(view.clone()).into_data();
            elu(view).into_data().assert_approx_eq(&expected, tolerance);
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let x = Tensor::<1>::from_floats([f32::NAN, 1.0], &Device::default());
        let y = elu(x).into_data().try_to_vec::<f32>().unwrap();
        assert!(y[0].is_nan() && y[1] == 1.0);
    }
}
