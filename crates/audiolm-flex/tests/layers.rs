//! Layers are the same with the kernels as without, forward and backward.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_nn::{
    CausalConv1dConfig, CausalConvTranspose1dConfig, PlaneConvolution, elu, example_norm,
    leaky_relu, step_residual,
};
use burn::module::{Module, list_param_ids};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::{Distribution, Tolerance};

/// Sums of many products in another order, beside the greatest of their tensor.
const ROUNDING: f32 = 5e-5;

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

/// Two chunks of a stream, and the gradients of both inputs: the second sees the first.
fn streamed() -> Vec<TensorData> {
    let device = Device::flex().autodiff();
    device.seed(4);
    let layer = CausalConv1dConfig::new(3, 5, 7).with_dilation(2).init(&device).unwrap();
    let chunks = [5, 20].map(|time| noise([2, time, 3], &device).require_grad());
    let mut state = layer.silence(2, &device);
    let outputs = chunks.clone().map(|it| layer.step(it, &mut state));
    let gradients = outputs[1].clone().square().sum().backward();
    let gradients = chunks.map(|it| it.grad(&gradients).unwrap().into_data());
    outputs.map(Tensor::into_data).into_iter().chain(gradients).collect()
}

/// Sizes of a convolution over rows and columns.
struct PlaneCase {
    channels: [usize; 2],
    of: PlaneConvolution,
    signal: [usize; 3],
}

fn plane_cases() -> Vec<PlaneCase> {
    let plain = |kernel: [usize; 2], stride: [usize; 2]| PlaneConvolution {
        kernel,
        stride,
        padding: kernel.map(|it| (it - 1) / 2),
        row_dilation: 1,
        groups: 1,
    };
    let case = |channels, of, signal| PlaneCase { channels, of, signal };
    vec![
        case([2, 5], plain([7, 7], [1, 1]), [3, 6, 11]),
        case([4, 6], plain([3, 4], [1, 2]), [2, 5, 12]),
        case([4, 6], plain([4, 4], [2, 2]), [2, 9, 13]),
        case([3, 8], plain([1, 1], [2, 2]), [2, 7, 9]),
        case([8, 1], plain([1, 5], [1, 1]), [1, 4, 5]),
        case([1, 4], plain([5, 1], [3, 1]), [2, 31, 3]),
        case([8, 16], PlaneConvolution { groups: 2, ..plain([1, 41], [1, 4]) }, [2, 1, 90]),
        case([12, 24], PlaneConvolution { groups: 6, ..plain([3, 3], [1, 1]) }, [3, 4, 5]),
        case(
            [3, 2],
            PlaneConvolution { padding: [4, 4], row_dilation: 4, ..plain([3, 9], [1, 2]) },
            [2, 6, 21],
        ),
        // More than what is laid side by side at a time: example by example.
        case([16, 3], plain([3, 3], [1, 1]), [3, 40, 1100]),
    ]
}

/// The output of each case, then the gradients of signal, kernels and bias.
fn planes() -> Vec<TensorData> {
    let device = Device::flex().autodiff();
    device.seed(5);
    let results = plane_cases().into_iter().flat_map(|PlaneCase { channels, of, signal }| {
        let [channels_in, channels_out] = channels;
        let [batch, rows, columns] = signal;
        let signal = noise([batch, rows, columns, channels_in], &device).require_grad();
        let kernels = [channels_out, channels_in / of.groups, of.kernel[0], of.kernel[1]];
        let kernels = (noise(kernels, &device) * 0.1).require_grad();
        let bias = noise([channels_out], &device).require_grad();
        let output = of.forward(signal.clone(), kernels.clone(), bias.clone());
        let weights = noise(output.dims(), &device);
        let gradients = (output.clone() * weights).sum().backward();
        [
            output.into_data(),
            signal.grad(&gradients).unwrap().into_data(),
            kernels.grad(&gradients).unwrap().into_data(),
            bias.grad(&gradients).unwrap().into_data(),
        ]
    });
    results.collect()
}

/// Of fewer and of more numbers than one core takes at a time.
fn normalised() -> Vec<TensorData> {
    let device = Device::flex().autodiff();
    device.seed(6);
    let results = [[2, 3, 5, 4], [3, 70, 60, 24]].into_iter().flat_map(|shape| {
        let x = (noise(shape, &device) * 3.0 + 1.5).require_grad();
        let [scale, offset] = [(); 2].map(|()| noise([shape[3]], &device).require_grad());
        let output = example_norm(x.clone(), scale.clone(), offset.clone());
        let weights = noise(shape, &device);
        let gradients = (output.clone() * weights).sum().backward();
        [
            output.into_data(),
            x.grad(&gradients).unwrap().into_data(),
            scale.grad(&gradients).unwrap().into_data(),
            offset.grad(&gradients).unwrap().into_data(),
        ]
    });
    results.collect()
}

/// Longer than what one core takes at a time, whole and as views.
fn activations() -> Vec<TensorData> {
    let device = Device::flex();
    device.seed(3);
    let x = noise([301, 700], &device) * 4.0;
    let views = [x.clone(), x.clone().transpose(), x.slice_dim(0, 7..251)];
    let activated = views.into_iter().flat_map(|it| [elu(it.clone()), leaky_relu(it, 0.2)]);
    activated.map(Tensor::into_data).collect()
}

/// The gradient of the leaky rectifier.
fn leaky_gradient() -> Vec<TensorData> {
    let device = Device::flex().autodiff();
    let x = Tensor::<1>::from_floats([-2.0, 0.5, 3.0], &device).require_grad();
    let gradients = leaky_relu(x.clone(), 0.2).square().sum().backward();
    vec![x.grad(&gradients).unwrap().into_data()]
}

/// Two chunks of a stream through units of widths that have kernels of their own and that have none;
/// the second is longer than what one core takes at a time.
fn residual_units() -> Vec<TensorData> {
    let device = Device::flex();
    device.seed(7);
    let cases = [(32, 9, 1), (32, 1, 2), (64, 3, 2), (128, 9, 1), (16, 3, 2), (256, 1, 1)];
    let results = cases.into_iter().flat_map(|(channels, dilation, batch)| {
        let config = CausalConv1dConfig::new(channels, channels / 2, 7).with_dilation(dilation);
        let dilated = config.init(&device).unwrap();
        let mixing = CausalConv1dConfig::new(channels / 2, channels, 1).init(&device).unwrap();
        let (mut of_dilated, mut of_mixing) =
            (dilated.silence(batch, &device), mixing.silence(batch, &device));
        [5, 40_000 / channels + 3].map(|time| {
            let chunk = noise([batch, time, channels], &device);
            let states = [&mut of_dilated, &mut of_mixing];
            step_residual(chunk, [&dilated, &mixing], states).into_data()
        })
    });
    results.collect()
}

/// All that does not need the backend's kernels, and may use them.
fn everything() -> Vec<TensorData> {
    let parts =
        [streamed(), planes(), normalised(), activations(), leaky_gradient(), residual_units()];
    all_results().into_iter().chain(parts).flatten().collect()
}

#[test]
fn layers_are_the_same_with_kernels_as_without() {
    let expected = everything();
    audiolm_flex::install();
    let found = everything();
    assert_eq!(found.len(), expected.len());
    for (expected, found) in expected.iter().zip(&found) {
        let greatest = expected.iter::<f32>().map(f32::abs).fold(0.0, f32::max);
        assert!(greatest > 0.0, "nothing to compare");
        found.assert_approx_eq(expected, Tolerance::<f32>::absolute(ROUNDING * greatest));
    }
    let odd = Tensor::<1>::from_floats([f32::NAN, 1.0, -1e9], &Device::flex());
    let y = elu(odd).try_into_vec_as::<f32>().unwrap();
    assert!(y[0].is_nan() && y[1..] == [1.0, -1.0]);
}
