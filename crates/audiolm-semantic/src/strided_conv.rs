//! The convolution of the front end.

use audiolm_nn::native_windows_product;
use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

use crate::ConvLayerConfig;

/// A strided convolution, computed as matrix products.
///
/// Where a backend multiplies windows where they lie, that is one product. Elsewhere the input is
/// cut into blocks of one stride. An output frame sees `kernel_size / stride` blocks,
/// rounded up, so there are as many products, each over all frames of all clips. On a CPU that
/// takes about half the time of a convolution and its gradients, and with the channels last the
/// features need not be turned around for the transformer.
#[derive(Module, Debug)]
pub struct StridedConv {
    /// `[channels_out, channels_in, kernel_size]`, as PyTorch has it.
    pub(crate) weight: Param<Tensor<3>>,
    /// `[channels_out]`, where there is one.
    pub(crate) bias: Option<Param<Tensor<1>>>,
    stride: usize,
}

impl StridedConv {
    pub(crate) fn new(channels_in: usize, config: &ConvLayerConfig, device: &Device) -> Self {
        let ConvLayerConfig { channels, kernel_size, stride } = *config;
        // As in fairseq: He initialisation, N(0, 2 / fan_in).
        let he = Initializer::KaimingNormal { gain: 2f64.sqrt(), fan_out_only: false };
        let shape = [channels, channels_in, kernel_size];
        let weight = he.init_with(shape, Some(channels_in * kernel_size), None, device);
        Self { weight, bias: None, stride }
    }

    /// The same convolution, with a bias of zeros or with none.
    pub(crate) fn with_bias(self, bias: bool) -> Self {
        let [channels, ..] = self.weight.dims();
        let device = self.weight.device();
        let zeros = || Initializer::Zeros.init([channels], &device);
        Self { bias: bias.then(zeros), ..self }
    }

    /// Taps, and input frames from one output to the next.
    pub(crate) fn kernel_and_stride(&self) -> (usize, usize) {
        (self.weight.dims()[2], self.stride)
    }

    /// # Shapes
    /// - input: `[batch, time, channels_in]`
    /// - output: `[batch, (time - kernel_size) / stride + 1, channels_out]`
    ///
    /// # Panics
    /// Where `time` is less than the kernel.
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [_, time, _] = input.dims();
        let [.., kernel_size] = self.weight.dims();
        assert!(time >= kernel_size, "{time} frames are fewer than the {kernel_size} of a kernel");
        let taps = taps(self.weight.val());
        let bias = self.bias.as_ref().map(Param::val);
        native_windows_product(&input, &taps, bias.clone(), self.stride).unwrap_or_else(|| {
            let sum = self.products(input, &taps);
            bias.into_iter().fold(sum, |sum, bias| sum + bias.unsqueeze())
        })
    }

    /// A product for each block that a frame sees, of taps `[kernel_size, channels_in, channels_out]`.
    fn products(&self, input: Tensor<3>, taps: &Tensor<3>) -> Tensor<3> {
        let [kernel_size, channels_in, channels_out] = taps.dims();
        let frames = (input.dims()[1] - kernel_size) / self.stride + 1;
        let blocks = blocks(input, frames + (kernel_size - 1) / self.stride, self.stride);
        let product = |first: usize| {
            let taps = taps.clone().slice_dim(0, first..(first + self.stride).min(kernel_size));
            let rows = taps.dims()[0] * channels_in;
            let seen = blocks.clone().narrow(1, first / self.stride, frames).narrow(2, 0, rows);
            matmul_frames(seen, taps.reshape([rows, channels_out]))
        };
        let products = (0..kernel_size).step_by(self.stride).map(product);
        products.reduce(|sum, it| sum + it).expect("a kernel has at least one tap")
    }
}

/// `[channels_out, channels_in, kernel_size]` to `[kernel_size, channels_in, channels_out]`: two turns
/// of two axes are each a plain one in memory, one of three is walked number by number.
fn taps(weight: Tensor<3>) -> Tensor<3> {
    let [channels_out, channels_in, kernel_size] = weight.dims();
    let flat = weight.reshape([channels_out, channels_in * kernel_size]).transpose();
    flat.reshape([channels_in, kernel_size, channels_out]).swap_dims(0, 1)
}

/// The first `n` stretches of `stride` frames: `[batch, n, stride * channels]`.
///
/// The last may reach past the end, into zeros that no tap will see.
fn blocks(input: Tensor<3>, n: usize, stride: usize) -> Tensor<3> {
    let [batch, time, channels] = input.dims();
    let whole = match (n * stride).checked_sub(time) {
        None | Some(0) => input.narrow(1, 0, n * stride),
        Some(missing) => input.pad([(0, missing), (0, 0)], 0.0),
    };
    whole.reshape([batch, n, stride * channels])
}

/// One product for the frames of all clips.
fn matmul_frames(frames: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let [batch, time, rows] = frames.dims();
    let [_, columns] = weight.dims();
    frames.reshape([batch * time, rows]).matmul(weight).reshape([batch, time, columns])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::module::conv1d;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Distribution, Tolerance};

    #[track_caller]
    fn check_equals_convolution(kernel_size: usize, stride: usize, time: usize) {
        let device = Device::default();
        device.seed(0);
        let conv = StridedConv::new(3, &ConvLayerConfig::new(5, kernel_size, stride), &device);
        let input = Tensor::<3>::random([2, time, 3], Distribution::Normal(0.0, 1.0), &device);
        let options = ConvOptions::new([stride], [0], [1], 1);
        let expected = conv1d(input.clone().swap_dims(1, 2), conv.weight.val(), None, options);
        let found = conv.forward(input).swap_dims(1, 2);
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        found.into_data().assert_approx_eq(&expected.into_data(), tolerance);
    }

    #[test]
    fn equals_a_convolution_of_two_blocks() {
        check_equals_convolution(10, 5, 43);
    }
    #[test]
    fn equals_a_convolution_of_one_block_and_a_part() {
        check_equals_convolution(3, 2, 16);
        check_equals_convolution(3, 2, 17);
    }
    #[test]
    fn equals_a_convolution_of_one_block() {
        check_equals_convolution(2, 2, 9);
    }
    #[test]
    fn equals_a_convolution_of_a_single_frame() {
        check_equals_convolution(3, 2, 3);
    }
    #[test]
    fn equals_a_convolution_without_stride() {
        check_equals_convolution(4, 1, 9);
    }
}
