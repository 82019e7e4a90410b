//! How the frames that causal windows see lie in memory, and what becomes of them.

use audiolm_nn::CausalWindows;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, Shape, TensorMetadata};
use rayon::prelude::*;

use crate::pointwise::{own, tensor, values};

/// Frames that one core takes at a time.
const CHUNK: usize = 1 << 10;

/// The sizes of a causal convolution. Its signal lies phase by phase, each a plain signal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frames {
    pub(crate) of: CausalWindows,
    pub(crate) batch: usize,
    pub(crate) history: usize,
    pub(crate) time: usize,
    channels_in: usize,
    channels_out: usize,
    /// Numbers of a window.
    width: usize,
}

impl Frames {
    pub(crate) fn of<B: Backend>(
        past: &FloatTensor<B>,
        chunk: &FloatTensor<B>,
        kernel: &FloatTensor<B>,
        of: CausalWindows,
    ) -> Self {
        let [batch, time, channels_in] = chunk.shape().dims();
        let [width, channels_out] = kernel.shape().dims();
        Self { of, batch, history: past.shape()[1], time, channels_in, channels_out, width }
    }

    /// Numbers of a window.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Frames of a phase, numbers of a frame, and frames from one window to the next.
    pub(crate) fn lengths(&self) -> [usize; 3] {
        [self.length(), self.channels_in, self.of.step]
    }

    /// Frames of a phase.
    fn length(&self) -> usize {
        (self.history + self.time).div_ceil(self.of.phases)
    }

    /// Windows of a phase.
    fn windows(&self) -> usize {
        (self.length() - self.width / self.channels_in) / self.of.step + 1
    }

    /// Frames of the output.
    fn outputs(&self) -> usize {
        if self.of.phases == 1 { self.windows() } else { self.time }
    }

    /// Signals that are convolved.
    fn rows(&self) -> usize {
        self.batch * self.of.phases
    }

    /// What was and what comes, phase by phase: `[batch * phases, length, channels_in]`, with zeros
    /// where a phase is shorter than the first.
    pub(crate) fn laid(&self, past: FlexTensor, chunk: FlexTensor) -> FlexTensor {
        let (channels, phases) = (self.channels_in, self.of.phases);
        let chunk = chunk.to_contiguous();
        if self.history == 0 && phases == 1 {
            return chunk;
        }
        let past = past.to_contiguous();
        let (past, chunk) = (values(&past), values(&chunk));
        let sizes = [self.history * channels, self.time * channels];
        let seen = |example: usize| {
            [&past[example * sizes[0]..][..sizes[0]], &chunk[example * sizes[1]..][..sizes[1]]]
        };
        let shape = Shape::new([self.rows(), self.length(), channels]);
        if phases == 1 {
            let parts: Vec<_> = (0..self.batch).flat_map(seen).collect();
            return tensor(parts.concat(), shape);
        }
        let mut laid = vec![0.0; self.rows() * self.length() * channels];
        laid.par_chunks_mut(self.length() * channels).enumerate().for_each(|(row, laid)| {
            let frames = seen(row / phases).into_iter().flat_map(|it| it.chunks_exact(channels));
            let frames = frames.skip(row % phases).step_by(phases);
            laid.chunks_exact_mut(channels).zip(frames).for_each(|(to, it)| to.copy_from_slice(it));
        });
        tensor(laid, shape)
    }

    /// The opposite: `[batch, history + time, channels_in]`.
    pub(crate) fn unlaid(&self, signal: FlexTensor) -> FlexTensor {
        let seen = self.history + self.time;
        let shape = Shape::new([self.batch, seen, self.channels_in]);
        match self.of.phases {
            1 => signal.to_contiguous().reshape(shape),
            _ => tensor(self.woven(&signal, self.length(), seen), shape),
        }
    }

    /// What all windows make, in the order of time, and a bias if it has numbers:
    /// `[batch, time / step, channels_out]`.
    pub(crate) fn collected(&self, products: FlexTensor, bias: &[f32]) -> FlexTensor {
        let shape = Shape::new([self.batch, self.outputs(), self.channels_out]);
        let mut output = match self.of.phases {
            1 => Flex::float_reshape(products, shape),
            _ => tensor(self.woven(&products, self.windows(), self.outputs()), shape),
        };
        if bias.is_empty() {
            return output;
        }
        let numbers = own(&mut output).expect("nobody else holds what was just made");
        numbers.par_chunks_mut(CHUNK * bias.len()).for_each(|frames| {
            for frame in frames.chunks_exact_mut(bias.len()) {
                frame.iter_mut().zip(bias).for_each(|(it, bias)| *it += bias);
            }
        });
        output
    }

    /// The gradient of the output as that of all windows: `[batch * phases, windows, channels_out]`,
    /// with zeros where a phase has fewer than the first.
    pub(crate) fn spread(&self, gradient: FlexTensor) -> FlexTensor {
        let (channels, phases) = (self.channels_out, self.of.phases);
        let shape = Shape::new([self.rows(), self.windows(), channels]);
        let gradient = gradient.to_contiguous();
        if phases == 1 {
            return gradient.reshape(shape);
        }
        let gradient = values(&gradient);
        let mut spread = vec![0.0; self.rows() * self.windows() * channels];
        spread.par_chunks_mut(self.windows() * channels).enumerate().for_each(|(row, to)| {
            let (example, phase) = (row / phases, row % phases);
            let size = self.outputs() * channels;
            let frames = gradient[example * size..][..size].chunks_exact(channels);
            let frames = frames.skip(phase).step_by(phases);
            to.chunks_exact_mut(channels).zip(frames).for_each(|(to, it)| to.copy_from_slice(it));
        });
        tensor(spread, shape)
    }

    /// The first `n` frames of each example, of phases with `length` frames each.
    fn woven(&self, phases: &FlexTensor, length: usize, n: usize) -> Vec<f32> {
        let channels = phases.shape()[2];
        let signals = phases.to_contiguous();
        let (signals, phases) = (values(&signals), self.of.phases);
        let mut woven = vec![0.0; self.batch * n * channels];
        woven.par_chunks_mut(CHUNK * channels).enumerate().for_each(|(chunk, frames)| {
            for (index, frame) in frames.chunks_exact_mut(channels).enumerate() {
                let (example, at) = ((chunk * CHUNK + index) / n, (chunk * CHUNK + index) % n);
                let row = example * phases + at % phases;
                let from = (row * length + at / phases) * channels;
                frame.copy_from_slice(&signals[from..][..channels]);
            }
        });
        woven
    }
}
