//! How rows and columns become one long signal, and back.

use audiolm_nn::PlaneConvolution;
use burn::backend::Shape;
use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use crate::pointwise::tensor;
use crate::windows_product::windows;

/// The sizes of a convolution over rows and columns.
///
/// Each row of outputs has its columns of inputs, with zeros before them: those after them are the
/// ones before the next row. Some windows lie across two rows, and what becomes of them is left out.
pub(crate) struct Plane {
    of: PlaneConvolution,
    pub(crate) batch: usize,
    /// Rows and columns of the signal.
    inputs: [usize; 2],
    /// Rows and columns of the output.
    outputs: [usize; 2],
    channels_in: usize,
    channels_out: usize,
    /// Columns from one row of the long signal to the next.
    pitch: usize,
}

impl Plane {
    /// Of a signal and kernels of these shapes.
    pub(crate) fn new(
        [batch, rows, columns, channels_in]: [usize; 4],
        [channels_out, seen, kernel_rows, kernel_columns]: [usize; 4],
        of: PlaneConvolution,
    ) -> Self {
        assert_eq!([kernel_rows, kernel_columns], of.kernel, "rows and columns of the kernels");
        assert_eq!(seen * of.groups, channels_in, "channels of the signal");
        let (inputs, outputs) = ([rows, columns], of.outputs([rows, columns]));
        let step = of.stride[1];
        let pitch = (columns + of.padding[1]).next_multiple_of(step).max(outputs[1] * step);
        Self { of, batch, inputs, outputs, channels_in, channels_out, pitch }
    }

    /// Numbers of one example of the signal.
    pub(crate) fn example_inputs(&self) -> usize {
        self.inputs[0] * self.inputs[1] * self.channels_in
    }

    /// Numbers of one example of the output.
    pub(crate) fn example_outputs(&self) -> usize {
        self.outputs[0] * self.outputs[1] * self.channels_out
    }

    pub(crate) fn output_shape(&self) -> [usize; 4] {
        [self.batch, self.outputs[0], self.outputs[1], self.channels_out]
    }

    /// As many examples as have so many numbers in their long signal, at least one.
    pub(crate) fn examples_abreast(&self, numbers: usize) -> usize {
        let example = self.outputs[0] * self.pitch * self.of.kernel[0] * self.channels_in;
        (numbers / example.max(1)).clamp(1, self.batch.max(1))
    }

    /// Columns of the long signal from one window to the next.
    fn step(&self) -> usize {
        self.of.stride[1]
    }

    /// Columns of a window: the kernel's, and more where steps are longer.
    fn window(&self) -> usize {
        self.of.kernel[1].max(self.step())
    }

    /// Steps that a window reaches into.
    fn reach(&self) -> usize {
        self.window().div_ceil(self.step())
    }

    /// Numbers of a column of the long signal.
    fn stack(&self) -> usize {
        self.of.kernel[0] * self.seen()
    }

    /// Channels that a group sees.
    fn seen(&self) -> usize {
        self.channels_in / self.of.groups
    }

    /// Channels that a group makes.
    fn made(&self) -> usize {
        self.channels_out / self.of.groups
    }

    /// Windows from one row of the long signal to the next.
    fn row_windows(&self) -> usize {
        self.pitch / self.step()
    }

    /// The row of the signal that a tap of an output's row sees, if it is none of the padding.
    fn row_seen(&self, row_out: usize, tap: usize) -> Option<usize> {
        let row = row_out * self.of.stride[0] + tap * self.of.row_dilation;
        row.checked_sub(self.of.padding[0]).filter(|it| *it < self.inputs[0])
    }

    /// The row of the output whose tap sees a row of the signal, if there is one.
    fn row_reached(&self, row: usize, tap: usize) -> Option<usize> {
        let before = (row + self.of.padding[0]).checked_sub(tap * self.of.row_dilation)?;
        let row_out = before / self.of.stride[0];
        (before.is_multiple_of(self.of.stride[0]) && row_out < self.outputs[0]).then_some(row_out)
    }

    /// The windows of some examples, each all that an output sees:
    /// `[groups, rows_out * row_windows, window * stack]`, a view.
    pub(crate) fn windows(&self, examples: &[f32]) -> FlexTensor {
        windows(self.stacked(examples), self.window() * self.stack(), self.step())
    }

    /// The windows of their gradients that each step of the long signal has a part in:
    /// `[groups, rows_out * row_windows + reach - 1, reach * channels_made]`, a view.
    pub(crate) fn gradient_windows(&self, gradient: &[f32]) -> FlexTensor {
        let spread = self.spread(gradient, self.reach() - 1);
        windows(spread, self.reach() * self.made(), 1)
    }

    /// Some examples as a long signal for each group:
    /// `[groups, rows_out * pitch + window - step, kernel_rows * channels_seen]`.
    fn stacked(&self, examples: &[f32]) -> FlexTensor {
        let rows_out = examples.len() / self.example_inputs() * self.outputs[0];
        let (stack, seen) = (self.stack(), self.seen());
        let length = rows_out * self.pitch + self.window() - self.step();
        let mut stacked = vec![0.0; self.of.groups * length * stack];
        let groups = stacked.par_chunks_mut(length * stack).enumerate();
        groups.for_each(|(group, signal)| {
            let rows = signal.par_chunks_mut(self.pitch * stack).take(rows_out).enumerate();
            rows.for_each(|(row_out, columns)| {
                let (example, row_out) = (row_out / self.outputs[0], row_out % self.outputs[0]);
                for tap in 0..self.of.kernel[0] {
                    let Some(row) = self.row_seen(row_out, tap) else { continue };
                    let from = self.row_of(examples, example, row).chunks_exact(self.channels_in);
                    let to = columns[self.of.padding[1] * stack..].chunks_exact_mut(stack);
                    for (to, from) in to.zip(from) {
                        to[tap * seen..][..seen].copy_from_slice(&from[group * seen..][..seen]);
                    }
                }
            });
        });
        tensor(stacked, Shape::new([self.of.groups, length, stack]))
    }

    /// Adds the gradient of a long signal to that of the examples it is made of.
    pub(crate) fn unstack(&self, signals: &[f32], examples: &mut [f32]) {
        let (stack, seen, channels) = (self.stack(), self.seen(), self.channels_in);
        let length = signals.len() / self.of.groups / stack;
        let rows = examples.par_chunks_mut(self.inputs[1] * channels).enumerate();
        rows.for_each(|(row, columns)| {
            let (example, row) = (row / self.inputs[0], row % self.inputs[0]);
            for tap in 0..self.of.kernel[0] {
                let Some(row_out) = self.row_reached(row, tap) else { continue };
                let row_out = example * self.outputs[0] + row_out;
                for group in 0..self.of.groups {
                    let first = group * length + row_out * self.pitch + self.of.padding[1];
                    let from = signals[first * stack..].chunks_exact(stack);
                    for (to, from) in columns.chunks_exact_mut(channels).zip(from) {
                        let to = &mut to[group * seen..][..seen];
                        to.iter_mut().zip(&from[tap * seen..]).for_each(|(to, from)| *to += from);
                    }
                }
            }
        });
    }

    /// What the windows of some examples make, without what lies across two rows, and a bias:
    /// from `[groups, rows_out * windows, channels_made]`.
    pub(crate) fn gather(&self, products: &[f32], bias: &[f32], examples: &mut [f32]) {
        let (made, channels) = (self.made(), self.channels_out);
        let rows_out = examples.len() / (self.outputs[1] * channels);
        let rows = examples.par_chunks_mut(self.outputs[1] * channels).enumerate();
        rows.for_each(|(row, columns)| {
            for group in 0..self.of.groups {
                let first = (group * rows_out + row) * self.row_windows() * made;
                let bias = &bias[group * made..][..made];
                let from = products[first..].chunks_exact(made);
                for (to, from) in columns.chunks_exact_mut(channels).zip(from) {
                    let to = to[group * made..][..made].iter_mut();
                    to.zip(from.iter().zip(bias)).for_each(|(to, (from, bias))| *to = from + bias);
                }
            }
        });
    }

    /// The gradient of some examples of the output as that of all windows, between so many of zeros:
    /// `[groups, around + rows_out * row_windows + around, channels_made]`.
    pub(crate) fn spread(&self, gradient: &[f32], around: usize) -> FlexTensor {
        let (made, channels) = (self.made(), self.channels_out);
        let rows = gradient.par_chunks_exact(self.outputs[1] * channels);
        let n = 2 * around + rows.len() * self.row_windows();
        let mut spread = vec![0.0; self.of.groups * n * made];
        for (group, spread) in spread.chunks_exact_mut(n * made).enumerate() {
            let windows = spread[around * made..].par_chunks_exact_mut(self.row_windows() * made);
            windows.zip(rows.clone()).for_each(|(to, from)| {
                for (to, from) in to.chunks_exact_mut(made).zip(from.chunks_exact(channels)) {
                    to.copy_from_slice(&from[group * made..][..made]);
                }
            });
        }
        tensor(spread, Shape::new([self.of.groups, n, made]))
    }

    /// The kernels as windows see them, with zeros where steps are longer:
    /// `[groups, channels_made, window * stack]`.
    pub(crate) fn matrices(&self, kernels: &[f32]) -> FlexTensor {
        let width = self.window() * self.stack();
        let mut matrices = vec![0.0; self.channels_out * width];
        let rows = matrices.par_chunks_exact_mut(width);
        rows.zip(kernels.par_chunks_exact(self.taps())).for_each(|(row, kernel)| {
            self.for_each_tap(|in_kernel, in_window| row[in_window] = kernel[in_kernel]);
        });
        tensor(matrices, Shape::new([self.of.groups, self.made(), width]))
    }

    /// The opposite: `[channels_out, channels_seen, kernel_rows, kernel_columns]`.
    pub(crate) fn kernels(&self, matrices: &[f32]) -> FlexTensor {
        let mut kernels = vec![0.0; self.channels_out * self.taps()];
        let rows = matrices.par_chunks_exact(self.window() * self.stack());
        kernels.par_chunks_exact_mut(self.taps()).zip(rows).for_each(|(kernel, row)| {
            self.for_each_tap(|in_kernel, in_window| kernel[in_kernel] = row[in_window]);
        });
        let [rows, columns] = self.of.kernel;
        tensor(kernels, Shape::new([self.channels_out, self.seen(), rows, columns]))
    }

    /// What the windows of gradients are multiplied with: the last step of every kernel's window
    /// first, `[groups, reach * channels_made, step * stack]`.
    pub(crate) fn blocks(&self, matrices: &[f32]) -> FlexTensor {
        let (width, block, reach) =
            (self.window() * self.stack(), self.step() * self.stack(), self.reach());
        let mut blocks = vec![0.0; self.of.groups * reach * self.made() * block];
        blocks.par_chunks_exact_mut(block).enumerate().for_each(|(row, to)| {
            let (part, made) = (row / self.made(), row % self.made());
            let (group, part) = (part / reach, part % reach);
            let from = &matrices[(group * self.made() + made) * width..][..width];
            let from = from.chunks(block).nth(reach - 1 - part).unwrap_or_default();
            to[..from.len()].copy_from_slice(from);
        });
        tensor(blocks, Shape::new([self.of.groups, reach * self.made(), block]))
    }

    /// Numbers of a kernel.
    fn taps(&self) -> usize {
        self.of.kernel[1] * self.stack()
    }

    /// Where each number of a kernel lies in it, and in a window.
    fn for_each_tap(&self, mut tap: impl FnMut(usize, usize)) {
        let ([rows, columns], seen) = (self.of.kernel, self.seen());
        for channel in 0..seen {
            for row in 0..rows {
                for column in 0..columns {
                    let in_kernel = (channel * rows + row) * columns + column;
                    tap(in_kernel, (column * rows + row) * seen + channel);
                }
            }
        }
    }

    fn row_of<'a>(&self, examples: &'a [f32], example: usize, row: usize) -> &'a [f32] {
        let numbers = self.inputs[1] * self.channels_in;
        &examples[(example * self.inputs[0] + row) * numbers..][..numbers]
    }
}
