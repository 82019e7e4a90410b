//! Layers are the same with the kernels as without, forward and backward.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_nn::{CausalConv1dConfig, CausalConvTranspose1dConfig, elu};
use burn::module::{Module, list_param_ids};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::{Distribution, Tolerance};

/// Sums of some hundred products in another order.
const ROUNDING: f32 = 2e-4;

/// A layer and a clip for it.
struct Case {
    convolution: CausalConv1dConfig,
    batch: usize,
    time: usize,
}

fn cases() -> Vec<Case> {
    let config = CausalConv1dConfig::new;
    let case = |convolution, batch, time| Case { convolution, batch, time };
    vec![
        case(config(1, 16, 7), 1, 50),
        case(config(16, 8, 7), 3, 41),
        case(config(16, 8, 7).with_dilation(3), 2, 100),
        case(config(70, 3, 7).with_dilation(9), 1, 30),
        case(config(5, 6, 1), 2, 9),
        case(config(16, 32, 8).with_stride(4), 1, 44),
        case(config(3, 4, 10).with_stride(5), 2, 35),
        case(config(1, 4, 3).with_stride(3), 2, 9),
    ]
}

fn noise<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// The output of a layer, then its gradients: of the input, and of the weights and the bias.
fn results<M: Module>(
    layer: &M,
    forward: impl Fn(&M, Tensor<3>) -> Tensor<3>,
    input: Tensor<3>,
) -> Vec<TensorData> {
    let input = input.require_grad();
    let output = elu(forward(layer, input.clone()));
    let mut gradients = (output.clone() * output.clone()).sum().backward();
    let of_input = input.grad(&gradients).unwrap().into_data();
    let parameters = GradientsParams::from_module(&mut gradients, layer);
    let ids = list_param_ids(layer);
    let of_weight = parameters.get::<3>(ids[0]).unwrap().into_data();
    let of_bias = parameters.get::<1>(ids[1]).unwrap().into_data();
    vec![output.into_data(), of_input, of_weight, of_bias]
}

fn all_results() -> Vec<Vec<TensorData>> {
    let device = Device::flex().autodiff();
    device.seed(1);
    let mut all: Vec<_> = cases()
        .iter()
        .map(|Case { convolution, batch, time }| {
            let layer = convolution.init(&device).unwrap();
            let input = noise([*batch, *time, convolution.channels_in], &device);
            results(&layer, |layer, it| layer.forward(it), input)
        })
        .collect();
    for (batch, stride) in [(1, 4), (2, 5)] {
        let layer = CausalConvTranspose1dConfig::new(3, 2, stride).init(&device).unwrap();
        all.push(results(&layer, |layer, it| layer.forward(it), noise([batch, 7, 3], &device)));
    }
    all
}

/// Longer than what one core takes at a time, whole and as views.
fn activations() -> Vec<TensorData> {
    let device = Device::flex();
    device.seed(3);
    let x = noise([301, 700], &device) * 4.0;
    let views = [x.clone(), x.clone().transpose(), x.slice_dim(0, 7..251)];
    views.into_iter().map(|it| elu(it).into_data()).collect()
}

#[test]
fn layers_are_the_same_with_kernels_as_without() {
    let (layers, activated) = (all_results(), activations());
    audiolm_flex::install();
    let tolerance = Tolerance::<f32>::absolute(ROUNDING).set_relative(1e-4);
    let expected = layers.iter().flatten().chain(&activated);
    let (layers, activated) = (all_results(), activations());
    for (expected, found) in expected.zip(layers.iter().flatten().chain(&activated)) {
        found.assert_approx_eq(expected, tolerance);
    }
    let odd = Tensor::<1>::from_floats([f32::NAN, 1.0, -1e9], &Device::flex());
    let y = elu(odd).try_into_vec_as::<f32>().unwrap();
    assert!(y[0].is_nan() && y[1..] == [1.0, -1.0]);
}
