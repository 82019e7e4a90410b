//! The causal convolution every SoundStream block is built from.
//!
//! Signals here are `[batch, time, channels]`: then a block of consecutive frames is one row of a
//! matrix, and a convolution of a few narrow channels becomes one product of well-shaped matrices,
//! forward and backward. On CPUs that is several times faster than gathering each kernel window,
//! although the matrix of a block also multiplies the zeros beside the kernel.

use burn::module::{Initializer, Param};
use burn::prelude::*;

use crate::ConvError;
use crate::banded_product::banded_product;

/// Numbers in one row of the product that a layer aims at.
const ROW_WIDTH: usize = 128;
/// Longest block; beyond it the zeros beside the kernel outweigh the better shape.
const LONGEST_BLOCK: usize = 32;

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

/// The past a stream carries from one chunk to the next: `[batch, history, channels_in]`.
#[derive(Debug, Clone)]
pub struct CausalConv1dState(Tensor<3>);

impl CausalConv1dState {
    /// How many numbers it carries: the same after every chunk.
    pub fn n_numbers(&self) -> usize {
        self.0.shape().num_elements()
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
        assert_shape!(state.0, [batch, self.history(), channels_in]);
        let stride = self.stride;
        assert!(time.is_multiple_of(stride), "{time} frames do not divide by stride {stride}");
        if self.history() == 0 {
            return self.blocks_times_matrix(chunk);
        }
        let seen = Tensor::cat(vec![state.0.clone(), chunk], 1);
        state.0 = seen.clone().slice_dim(1, time..);
        self.blocks_times_matrix(seen)
    }

    /// The state of a stream that has heard nothing yet.
    pub fn silence(&self, batch: usize, device: &Device) -> CausalConv1dState {
        let [_, channels_in, _] = self.weight.dims();
        CausalConv1dState(Tensor::zeros([batch, self.history(), channels_in], device))
    }

    /// Past input frames that the next output frame still needs.
    fn history(&self) -> usize {
        let [_, _, kernel_size] = self.weight.dims();
        (kernel_size - 1) * self.dilation + 1 - self.stride
    }

    /// The convolution of `seen`, which begins with the history: `[batch, outputs, channels_out]`.
    fn blocks_times_matrix(&self, seen: Tensor<3>) -> Tensor<3> {
        let [batch, length, _] = seen.dims();
        let [channels_out, _, _] = self.weight.dims();
        let outputs = (length - self.history()) / self.stride;
        let blocks = self.blocks();
        let n = outputs.div_ceil(blocks.outputs * self.dilation);
        let signal = self.signal(seen, &blocks, n);
        let products = banded_product(signal, self.bands(&blocks), self.bias_row(blocks.outputs));
        let phases = [batch, self.dilation, n * blocks.outputs, channels_out];
        let whole = [batch, n * blocks.outputs * self.dilation, channels_out];
        let output = match self.dilation {
            1 => products.reshape(whole),
            _ => products.reshape(phases).swap_dims(1, 2).reshape(whole),
        };
        output.slice_dim(1, ..outputs)
    }

    fn blocks(&self) -> Blocks {
        let [_, channels_in, kernel_size] = self.weight.dims();
        let wide = (ROW_WIDTH / (self.stride * channels_in)).min(LONGEST_BLOCK);
        let outputs = match (kernel_size - self.stride, self.stride) {
            (0, _) => 1,
            (_, 1) => wide.max(2),
            (_, _) => wide.max(1),
        };
        let inputs = outputs * self.stride;
        Blocks { outputs, inputs, past: (kernel_size - self.stride).div_ceil(inputs) }
    }

    /// The input in blocks, from the first that `n` blocks of outputs depend on:
    /// `[batch * dilation, past + n, inputs * channels_in]`.
    ///
    /// A dilated convolution is a plain one on each of `dilation` interleaved signals.
    fn signal(&self, seen: Tensor<3>, blocks: &Blocks, n: usize) -> Tensor<3> {
        let [batch, length, channels] = seen.dims();
        let period = blocks.inputs * self.dilation;
        let before = blocks.past * period - self.history();
        let after = (blocks.past + n) * period - before - length;
        let padded = padded(seen, before, after);
        let phases = [batch, (blocks.past + n) * blocks.inputs, self.dilation, channels];
        let rows = [batch * self.dilation, blocks.past + n, blocks.inputs * channels];
        match self.dilation {
            1 => padded.reshape(rows),
            _ => padded.reshape(phases).swap_dims(1, 2).reshape(rows),
        }
    }

    /// The bias, once for each output of a block.
    fn bias_row(&self, outputs: usize) -> Tensor<1> {
        self.bias.val().repeat_dim(0, outputs)
    }

    /// What each block of inputs adds to a block of outputs, from the oldest to the outputs' own:
    /// `[inputs * channels_in, outputs * channels_out]` each.
    fn bands(&self, blocks: &Blocks) -> Vec<Tensor<2>> {
        let [_, channels_in, _] = self.weight.dims();
        let matrix = self.matrix(blocks);
        let width = blocks.inputs * channels_in;
        (0..=blocks.past)
            .map(|it| matrix.clone().slice_dim(0, it * width..(it + 1) * width))
            .collect()
    }

    /// The kernel once for each output of a block, each one stride below the one before:
    /// `[(past + 1) * inputs * channels_in, outputs * channels_out]`.
    ///
    /// A column of `height + stride` numbers, repeated and cut into columns of `height`, moves
    /// down by one stride from each column to the next.
    fn matrix(&self, blocks: &Blocks) -> Tensor<2> {
        let [channels_out, channels_in, kernel_size] = self.weight.dims();
        let height = (blocks.past + 1) * blocks.inputs;
        let before = blocks.past * blocks.inputs + self.stride - kernel_size;
        let after = height + self.stride - before - kernel_size;
        let kernel = self.weight.val().permute([2, 1, 0]);
        let kernel = kernel.reshape([1, kernel_size as i32, (channels_in * channels_out) as i32]);
        let columns = padded(kernel, before, after)
            .repeat_dim(1, blocks.outputs)
            .slice_dim(1, ..blocks.outputs * height);
        columns
            .reshape([blocks.outputs, height, channels_in, channels_out])
            .permute([1, 2, 0, 3])
            .reshape([height * channels_in, blocks.outputs * channels_out])
    }
}

/// How time is cut for the product.
struct Blocks {
    /// Output frames of a block.
    outputs: usize,
    /// Input frames of a block.
    inputs: usize,
    /// Blocks of inputs before its own that a block of outputs depends on.
    past: usize,
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

/// Zeros before and after in time.
fn padded(signal: Tensor<3>, before: usize, after: usize) -> Tensor<3> {
    if before + after == 0 {
        return signal;
    }
    let [batch, _, channels] = signal.dims();
    let zeros = |n| Tensor::zeros([batch, n, channels], &signal.device());
    let parts = [(before, zeros(before)), (usize::MAX, signal.clone()), (after, zeros(after))];
    Tensor::cat(parts.into_iter().filter(|it| it.0 > 0).map(|it| it.1).collect(), 1)
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
