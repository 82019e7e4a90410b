//! The causal transposed convolution of a decoder block.

use burn::module::{Initializer, Param};
use burn::prelude::*;

use crate::ConvError;
use crate::causal_conv::changed;
use crate::causal_product::{CausalWindows, latest};

/// Configuration of a [`CausalConvTranspose1d`], whose kernel spans two strides.
#[derive(Config, Debug)]
pub struct CausalConvTranspose1dConfig {
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Output frames for each input frame.
    pub stride: usize,
}

/// Raises the frame rate `stride` times; each output depends on its own input frame and the one
/// before, so that the whole layer is one matrix product of pairs of frames.
#[derive(Module, Debug)]
pub struct CausalConvTranspose1d {
    /// `[channels_in, channels_out, 2 * stride]`, as PyTorch has it.
    weight: Param<Tensor<3>>,
    /// `[channels_out]`
    bias: Param<Tensor<1>>,
}

/// What a stream carries from one chunk to the next. It belongs to the weights it began with.
#[derive(Debug, Clone)]
pub struct CausalConvTranspose1dState {
    /// `[batch, 1, channels_in]`
    past: Tensor<3>,
    /// The layer's kernel as products want it, `[2, channels_in, stride * channels_out]`.
    kernel: Tensor<3>,
}

impl CausalConvTranspose1dState {
    /// How many numbers it carries: the same after every chunk.
    pub fn n_numbers(&self) -> usize {
        self.past.shape().num_elements()
    }
}

impl CausalConvTranspose1dConfig {
    /// Builds the layer with weights of variance `1 / (2 * channels_in)`, for two frames reach each
    /// output, and no bias.
    ///
    /// # Errors
    /// Where a size is zero.
    pub fn init(&self, device: &Device) -> Result<CausalConvTranspose1d, ConvError> {
        if [self.channels_in, self.channels_out, self.stride].contains(&0) {
            return Err(ConvError::ZeroSize);
        }
        let bound = (3.0 / (2.0 * self.channels_in as f64)).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        Ok(CausalConvTranspose1d {
            weight: uniform.init([self.channels_in, self.channels_out, 2 * self.stride], device),
            bias: Initializer::Zeros.init([self.channels_out], device),
        })
    }
}

impl CausalConvTranspose1d {
    /// The same layer with other kernels, which it makes of its own.
    ///
    /// # Shapes
    /// - kernels, before and after: `[channels_in, channels_out, 2 * stride]`
    ///
    /// # Panics
    /// Where `change` returns another shape.
    pub fn with_kernels(self, change: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Self {
        Self { weight: changed(self.weight, change), ..self }
    }

    /// Convolves a whole clip: one [`step`](Self::step) from silence.
    ///
    /// # Shapes
    /// - input: `[batch, time, channels_in]`
    /// - output: `[batch, time * stride, channels_out]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let mut state = self.silence(input.dims()[0], &input.device());
        self.step(input, &mut state)
    }

    /// Convolves the next chunk of a stream; shapes and panics as in [`forward`](Self::forward).
    pub fn step(&self, chunk: Tensor<3>, state: &mut CausalConvTranspose1dState) -> Tensor<3> {
        let [batch, time, channels_in] = chunk.dims();
        let [_, channels_out, kernel_size] = self.weight.dims();
        let stride = kernel_size / 2;
        assert_shape!(state.past, [batch, 1, channels_in]);
        let next = latest(&state.past, &chunk);
        let past = std::mem::replace(&mut state.past, next);
        let bias = self.bias.val().repeat_dim(0, stride);
        let windows = CausalWindows { step: 1, phases: 1 };
        let products = windows.product(past, chunk, state.kernel.clone(), bias);
        products.reshape([batch, time * stride, channels_out])
    }

    /// The state of a stream that has heard nothing yet.
    pub fn silence(&self, batch: usize, device: &Device) -> CausalConvTranspose1dState {
        let [channels_in, _, _] = self.weight.dims();
        CausalConvTranspose1dState {
            past: Tensor::zeros([batch, 1, channels_in], device),
            kernel: self.kernel(),
        }
    }

    /// The kernel's second half, for the frame before, and its first:
    /// `[2, channels_in, stride * channels_out]`.
    fn kernel(&self) -> Tensor<3> {
        let [channels_in, channels_out, kernel_size] = self.weight.dims();
        let stride = kernel_size / 2;
        let steps =
            self.weight.val().swap_dims(1, 2).reshape([channels_in, 2, stride * channels_out]);
        let half = |it| steps.clone().slice_dim(1, it..it + 1).swap_dims(0, 1);
        Tensor::cat(vec![half(1), half(0)], 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    #[track_caller]
    fn check_stream_equals_whole(stride: usize, chunk: usize) {
        let device = Device::default();
        device.seed(0);
        let layer = CausalConvTranspose1dConfig::new(3, 2, stride).init(&device).unwrap();
        let clip = Tensor::<3>::random([2, 6 * chunk, 3], Distribution::Normal(0.0, 1.0), &device);

        let mut state = layer.silence(2, &device);
        let steps =
            clip.clone().split(chunk, 1).into_iter().map(|it| layer.step(it, &mut state)).collect();
        let streamed = Tensor::cat(steps, 1);
        assert_eq!(streamed.dims(), [2, 6 * chunk * stride, 2]);

        let tolerance = Tolerance::<f32>::absolute(1e-5);
        streamed.into_data().assert_approx_eq(&layer.forward(clip).into_data(), tolerance);
    }

    #[test]
    fn equals_scattered() {
        let device = Device::default();
        device.seed(1);
        let layer = CausalConvTranspose1dConfig::new(3, 2, 4).init(&device).unwrap();
        let clip = Tensor::<3>::random([2, 7, 3], Distribution::Normal(0.0, 1.0), &device);
        let options = burn::tensor::ops::ConvTransposeOptions::new([4], [0], [0], [1], 1);
        let scattered = burn::tensor::module::conv_transpose1d(
            clip.clone().swap_dims(1, 2),
            layer.weight.val(),
            Some(layer.bias.val()),
            options,
        );
        let expected = scattered.swap_dims(1, 2).slice_dim(1, ..28).into_data();
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        layer.forward(clip).into_data().assert_approx_eq(&expected, tolerance);
    }

    #[test]
    fn stream_equals_whole_frame_by_frame() {
        check_stream_equals_whole(4, 1);
    }

    #[test]
    fn stream_equals_whole_in_chunks() {
        check_stream_equals_whole(5, 3);
    }

    #[test]
    fn later_input_changes_no_earlier_output() {
        let device = Device::default();
        let layer = CausalConvTranspose1dConfig::new(1, 1, 2).init(&device).unwrap();
        let quiet = layer.forward(Tensor::zeros([1, 4, 1], &device));
        let late = Tensor::<3>::from_floats([[[0.0], [0.0], [0.0], [9.0]]], &device);
        let loud = layer.forward(late);
        let before = |it: Tensor<3>| it.slice_dim(1, ..6).into_data();
        assert_eq!(before(quiet), before(loud));
    }
}
