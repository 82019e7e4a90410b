//! The causal convolution every SoundStream block is built from.
//!
//! Signals here are `[batch, time, channels]`: then a window of consecutive frames is consecutive
//! numbers, and a convolution one product of matrices.

use burn::module::{Initializer, Param};
use burn::prelude::*;

use crate::ConvError;
use crate::causal_product::{CausalWindows, latest};

/// Configuration of a [`CausalConv1d`].
#[derive(Config, Debug)]
pub struct CausalConv1dConfig {
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Taps of the kernel.
    pub kernel_size: usize,
    /// Input frames from one output to the next.
    #[config(default = 1)]
    pub stride: usize,
    /// Input frames from one tap to the next.
    #[config(default = 1)]
    pub dilation: usize,
}

/// A convolution over time that never looks ahead of its input.
#[derive(Module, Debug)]
pub struct CausalConv1d {
    /// `[channels_out, channels_in, kernel_size]`, as PyTorch has it.
    weight: Param<Tensor<3>>,
    /// `[channels_out]`
    bias: Param<Tensor<1>>,
    stride: usize,
    dilation: usize,
}

/// What a stream carries from one chunk to the next. It belongs to the weights it began with.
#[derive(Debug, Clone)]
pub struct CausalConv1dState {
    /// `[batch, history, channels_in]`
    past: Tensor<3>,
    /// The layer's kernel as products want it, `[kernel_size, channels_in, channels_out]`: to turn
    /// it around for each chunk would cost as much as a short chunk itself.
    kernel: Tensor<3>,
}

impl CausalConv1dState {
    /// How many numbers it carries: the same after every chunk.
    pub fn n_numbers(&self) -> usize {
        self.past.shape().num_elements()
    }

    /// What came before a chunk, of which `heard` is what the layer sees; from now on the chunk has
    /// been heard too.
    pub(crate) fn advance(
        &mut self,
        chunk: &Tensor<3>,
        heard: impl Fn(Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let n_new = self.past.dims()[1].min(chunk.dims()[1]);
        let new = chunk.clone().slice_dim(1, chunk.dims()[1] - n_new..);
        let next = latest(&self.past, &heard(new));
        std::mem::replace(&mut self.past, next)
    }

    /// The kernel, a row for each number of a window: `[kernel_size * channels_in, channels_out]`.
    pub(crate) fn matrix(&self) -> Tensor<2> {
        let [kernel_size, channels_in, channels_out] = self.kernel.dims();
        self.kernel.clone().reshape([kernel_size * channels_in, channels_out])
    }
}

impl CausalConv1dConfig {
    /// Builds the layer with weights of variance `1 / (channels_in * kernel_size)` and no bias, so
    /// that a signal keeps its level through a stack of layers.
    ///
    /// # Errors
    /// Where the numbers describe no layer.
    pub fn init(&self, device: &Device) -> Result<CausalConv1d, ConvError> {
        if [self.channels_in, self.channels_out, self.kernel_size, self.stride, self.dilation]
            .contains(&0)
        {
            return Err(ConvError::ZeroSize);
        }
        if self.stride > 1 && self.dilation > 1 {
            return Err(ConvError::StridedAndDilated {
                stride: self.stride,
                dilation: self.dilation,
            });
        }
        if self.kernel_size < self.stride {
            return Err(ConvError::StrideSkipsFrames {
                span: self.kernel_size,
                stride: self.stride,
            });
        }
        let fan_in = self.channels_in * self.kernel_size;
        let bound = (3.0 / fan_in as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        Ok(CausalConv1d {
            weight: uniform.init([self.channels_out, self.channels_in, self.kernel_size], device),
            bias: Initializer::Zeros.init([self.channels_out], device),
            stride: self.stride,
            dilation: self.dilation,
        })
    }
}

impl CausalConv1d {
    /// The same layer with other kernels, which it makes of its own.
    ///
    /// # Shapes
    /// - kernels, before and after: `[channels_out, channels_in, kernel_size]`
    ///
    /// # Panics
    /// Where `change` returns another shape.
    pub fn with_kernels(self, change: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Self {
        Self { weight: changed(self.weight, change), ..self }
    }

    /// Convolves a whole clip: one [`step`](Self::step) from silence.
    ///
    /// # Shapes
    /// - input: `[batch, time, channels_in]`, `time` a multiple of `stride`
    /// - output: `[batch, time / stride, channels_out]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let mut state = self.silence(input.dims()[0], &input.device());
        self.step(input, &mut state)
    }

    /// Convolves the next chunk of a stream; shapes and panics as in [`forward`](Self::forward).
    pub fn step(&self, chunk: Tensor<3>, state: &mut CausalConv1dState) -> Tensor<3> {
        let [batch, time, channels_in] = chunk.dims();
        assert_shape!(state.past, [batch, self.history(), channels_in]);
        let stride = self.stride;
        assert!(time.is_multiple_of(stride), "{time} frames do not divide by stride {stride}");
        let windows = CausalWindows { step: stride, phases: self.phases() };
        let past = state.advance(&chunk, |it| it);
        windows.product(past, chunk, state.kernel.clone(), self.bias.val())
    }

    /// The state of a stream that has heard nothing yet.
    pub fn silence(&self, batch: usize, device: &Device) -> CausalConv1dState {
        let [channels_out, channels_in, kernel_size] = self.weight.dims();
        // Two turns of two axes are each a plain one in memory; one of three is walked number by number.
        let flat = self.weight.val().reshape([channels_out, channels_in * kernel_size]);
        let kernel = flat.transpose().reshape([channels_in, kernel_size, channels_out]);
        let kernel = kernel.swap_dims(0, 1).reshape([kernel_size * channels_in, channels_out]);
        CausalConv1dState {
            past: Tensor::zeros([batch, self.history(), channels_in], device),
            kernel: kernel.reshape([kernel_size, channels_in, channels_out]),
        }
    }

    /// `[channels_out]`
    pub(crate) fn bias(&self) -> Tensor<1> {
        self.bias.val()
    }

    /// Input frames from one tap to the next.
    pub(crate) fn dilation(&self) -> usize {
        self.dilation
    }

    /// Past input frames that the next output frame still needs.
    fn history(&self) -> usize {
        let [_, _, kernel_size] = self.weight.dims();
        (kernel_size - 1) * self.dilation + 1 - self.stride
    }

    /// Interleaved signals that the layer sees as one each.
    fn phases(&self) -> usize {
        let [_, _, kernel_size] = self.weight.dims();
        if kernel_size == 1 { 1 } else { self.dilation }
    }
}

/// A parameter's value replaced by one of the same shape.
pub(crate) fn changed(
    weight: Param<Tensor<3>>,
    change: impl FnOnce(Tensor<3>) -> Tensor<3>,
) -> Param<Tensor<3>> {
    let shape = weight.dims();
    weight.map(|it| {
        let learns = it.is_require_grad();
        let value = change(it.detach()).detach();
        assert_eq!(value.dims(), shape, "kernels keep their shape");
        value.set_require_grad(learns)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    #[track_caller]
    fn check_stream_equals_whole(kernel_size: usize, stride: usize, dilation: usize, chunk: usize) {
        let device = Device::default();
        device.seed(0);
        let config =
            CausalConv1dConfig::new(2, 3, kernel_size).with_stride(stride).with_dilation(dilation);
        let layer = config.init(&device).unwrap();
        let clip = Tensor::<3>::random([2, 6 * chunk, 2], Distribution::Normal(0.0, 1.0), &device);

        let mut state = layer.silence(2, &device);
        let steps =
            clip.clone().split(chunk, 1).into_iter().map(|it| layer.step(it, &mut state)).collect();
        let streamed = Tensor::cat(steps, 1);

        let tolerance = Tolerance::<f32>::absolute(1e-5);
        streamed.into_data().assert_approx_eq(&layer.forward(clip).into_data(), tolerance);
    }

    /// Equal to burn's own convolution, which gathers each window.
    #[track_caller]
    fn check_equals_gathered(config: CausalConv1dConfig, time: usize) {
        let device = Device::default();
        device.seed(1);
        let layer = config.init(&device).unwrap();
        let shape = [2, time, config.channels_in];
        let clip = Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);

        let history = Tensor::zeros([2, config.channels_in, layer.history()], &device);
        let seen = Tensor::cat(vec![history, clip.clone().swap_dims(1, 2)], 2);
        let options =
            burn::tensor::ops::ConvOptions::new([config.stride], [0], [config.dilation], 1);
        let gathered =
            burn::tensor::module::conv1d(seen, layer.weight.val(), Some(layer.bias.val()), options);
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        let expected = gathered.swap_dims(1, 2).into_data();
        layer.forward(clip).into_data().assert_approx_eq(&expected, tolerance);
    }

    #[test]
    fn equals_gathered_for_every_kind_of_layer() {
        let config = CausalConv1dConfig::new;
        check_equals_gathered(config(1, 16, 7), 50);
        check_equals_gathered(config(16, 8, 7), 41);
        check_equals_gathered(config(16, 8, 7).with_dilation(3), 100);
        check_equals_gathered(config(70, 3, 7).with_dilation(9), 30);
        check_equals_gathered(config(5, 6, 1), 9);
        check_equals_gathered(config(5, 6, 1).with_dilation(2), 9);
        check_equals_gathered(config(16, 32, 8).with_stride(4), 44);
        check_equals_gathered(config(3, 4, 10).with_stride(5), 35);
        check_equals_gathered(config(2, 4, 6).with_stride(2), 10);
        check_equals_gathered(config(1, 4, 3).with_stride(3), 9);
    }

    #[test]
    fn stream_equals_whole_stride_1() {
        check_stream_equals_whole(7, 1, 1, 1);
    }

    #[test]
    fn stream_equals_whole_dilated() {
        check_stream_equals_whole(3, 1, 9, 4);
    }

    #[test]
    fn stream_equals_whole_strided() {
        check_stream_equals_whole(8, 4, 1, 8);
    }

    #[test]
    fn stream_equals_whole_no_history() {
        check_stream_equals_whole(4, 4, 1, 4);
    }

    #[test]
    fn names_the_skipped_frames() {
        let err =
            CausalConv1dConfig::new(1, 1, 2).with_stride(3).init(&Device::default()).unwrap_err();
        assert_eq!(err, ConvError::StrideSkipsFrames { span: 2, stride: 3 });
    }
}
