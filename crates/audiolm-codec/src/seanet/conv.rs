//! A causal convolution that makes up what lies before its input, and after it.

use audiolm_nn::WeightReader;
use burn::prelude::*;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;

/// What a convolution sees beyond the edges of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Silence.
    Zeros,
    /// The input again, backwards from its edge.
    Reflect,
    /// The frame at the edge, again and again.
    Replicate,
}

/// Which kernels a convolution has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvShape {
    pub(crate) channels_in: usize,
    pub(crate) channels_out: usize,
    pub(crate) kernel_size: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
}

/// A convolution whose output depends on no later input, except at the very end: an input that is
/// no whole number of strides is filled up as its [`Edge`] says.
#[derive(Debug, Clone)]
pub(crate) struct EdgedConv {
    /// `[channels_out, channels_in, kernel_size]`
    pub(crate) weight: Tensor<3>,
    pub(crate) bias: Option<Tensor<1>>,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) edge: Edge,
}

/// The past a stream carries from one chunk to the next, once there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct EdgedConvState(Option<Tensor<3>>);

impl ConvShape {
    /// One frame out for one frame in.
    pub(crate) fn new(channels_in: usize, channels_out: usize, kernel_size: usize) -> Self {
        Self { channels_in, channels_out, kernel_size, stride: 1, dilation: 1 }
    }
}

impl EdgedConv {
    /// Takes `NAME.conv`, with a bias.
    pub(crate) fn read(
        weights: &mut WeightReader,
        name: &str,
        shape: ConvShape,
        edge: Edge,
    ) -> Self {
        let ConvShape { channels_in, channels_out, kernel_size, stride, dilation } = shape;
        let kernels = [channels_out, channels_in, kernel_size];
        Self {
            weight: weights.take_kernels(&format!("{name}.conv"), kernels),
            bias: Some(weights.take(&format!("{name}.conv.bias"), [channels_out])),
            stride,
            dilation,
            edge,
        }
    }

    /// Convolves the next chunk of a stream; a whole clip is a first chunk.
    ///
    /// A chunk that is no whole number of strides ends the stream. Where the edge reflects, the
    /// first chunk must be longer than the past that the kernels see, or be all there is.
    ///
    /// # Shapes
    /// - chunk: `[batch, channels_in, time]`
    /// - output: `[batch, channels_out, ceil(time / stride)]`
    pub(crate) fn step(&self, chunk: Tensor<3>, state: &mut EdgedConvState) -> Tensor<3> {
        let [_, _, kernel_size] = self.weight.dims();
        let history = (kernel_size - 1) * self.dilation + 1 - self.stride;
        let [_, _, time] = chunk.dims();
        let missing = time.next_multiple_of(self.stride) - time;
        let seen = match state.0.take() {
            None => self.edge.around(chunk, history, missing),
            Some(past) => self.edge.around(Tensor::cat(vec![past, chunk], 2), 0, missing),
        };
        let frames = seen.dims()[2] - missing;
        state.0 = Some(seen.clone().slice_dim(2, frames - history..frames));
        let options = ConvOptions::new([self.stride], [0], [self.dilation], 1);
        conv1d(seen, self.weight.clone(), self.bias.clone(), options)
    }
}

impl Edge {
    /// `frames` with so many more before them and after them.
    fn around(self, frames: Tensor<3>, before: usize, after: usize) -> Tensor<3> {
        match self {
            Self::Zeros => {
                let (first, last) = (zeros(&frames, before), zeros(&frames, after));
                joined([first, Some(frames), last])
            }
            Self::Replicate => {
                let [_, _, time] = frames.dims();
                let repeated = |at: usize, times: usize| {
                    let frame = frames.clone().slice_dim(2, at..at + 1);
                    (times > 0).then(|| frame.repeat_dim(2, times))
                };
                let (first, last) = (repeated(0, before), repeated(time - 1, after));
                joined([first, Some(frames), last])
            }
            Self::Reflect => reflected(frames, before, after),
        }
    }
}

/// Reflects at both edges. Input too short for that is first followed by silence, of which as much
/// is cut off the end again.
fn reflected(frames: Tensor<3>, before: usize, after: usize) -> Tensor<3> {
    let [_, _, time] = frames.dims();
    let lacking = (before.max(after) + 1).saturating_sub(time);
    let silence = zeros(&frames, lacking);
    let long = joined([Some(frames), silence, None]);
    let end = time + lacking - 1;
    let mirror = |range: std::ops::Range<usize>| {
        (!range.is_empty()).then(|| long.clone().slice_dim(2, range).flip([2]))
    };
    let (first, last) = (mirror(1..1 + before), mirror(end - after..end));
    let around = joined([first, Some(long), last]);
    around.slice_dim(2, ..before + time + after)
}

fn zeros(like: &Tensor<3>, time: usize) -> Option<Tensor<3>> {
    let [batch, channels, _] = like.dims();
    (time > 0).then(|| Tensor::zeros([batch, channels, time], &like.device()))
}

fn joined(parts: [Option<Tensor<3>>; 3]) -> Tensor<3> {
    let mut parts: Vec<_> = parts.into_iter().flatten().collect();
    match parts.len() {
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_around(edge: Edge, n: usize, [before, after]: [usize; 2], expected: &[f32]) {
        let frames: Vec<f32> = (1..=n).map(|it| it as f32).collect();
        let frames = Tensor::<1>::from_floats(frames.as_slice(), &Device::default());
        let around = edge.around(frames.unsqueeze(), before, after);
        assert_eq!(around.try_into_vec_as::<f32>().unwrap(), expected);
    }

    #[test]
    fn edges_are_made_up_as_published() {
        check_around(Edge::Zeros, 2, [1, 2], &[0.0, 1.0, 2.0, 0.0, 0.0]);
        check_around(Edge::Replicate, 2, [2, 1], &[1.0, 1.0, 1.0, 2.0, 2.0]);
        check_around(Edge::Reflect, 3, [2, 1], &[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
        check_around(Edge::Reflect, 3, [0, 0], &[1.0, 2.0, 3.0]);
    }

    /// As PyTorch reflects `[1, 2, 0, 0, 0]` and `[1, 0, 0]`, cut to length.
    #[test]
    fn what_is_too_short_to_reflect_is_followed_by_silence() {
        check_around(Edge::Reflect, 2, [4, 0], &[0.0, 0.0, 0.0, 2.0, 1.0, 2.0]);
        check_around(Edge::Reflect, 1, [2, 1], &[0.0, 0.0, 1.0, 0.0]);
    }
}
