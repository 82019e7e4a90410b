//! The convolution over two axes that discriminators of codecs are made of.

use burn::prelude::*;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use crate::kernels::kernels_of;

/// What a convolution over rows and columns sees for each of its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneConvolution {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// From one output to the next.
    pub stride: [usize; 2],
    /// Zeros on each side.
    pub padding: [usize; 2],
    /// Rows from one tap to the next.
    pub row_dilation: usize,
    /// Parts of the channels that see nothing of one another.
    pub groups: usize,
}

impl PlaneConvolution {
    /// Rows and columns of the output.
    pub fn outputs(&self, [rows, columns]: [usize; 2]) -> [usize; 2] {
        let [kernel_rows, kernel_columns] = self.kernel;
        let spans = [(kernel_rows - 1) * self.row_dilation + 1, kernel_columns];
        let sizes = [rows, columns];
        std::array::from_fn(|axis| {
            (sizes[axis] + 2 * self.padding[axis] - spans[axis]) / self.stride[axis] + 1
        })
    }

    /// Convolves, by a [kernel](crate::Kernels) of the backend where it has one.
    ///
    /// # Shapes
    /// - signal: `[batch, rows, columns, channels_in]`
    /// - kernels: `[channels_out, channels_in / groups, kernel_rows, kernel_columns]`, as PyTorch has
    ///   them
    /// - bias: `[channels_out]`
    /// - output: `[batch, rows', columns', channels_out]`
    ///
    /// # Panics
    /// On another number of channels, or where rows or columns are fewer than the kernel spans.
    pub fn forward(&self, signal: Tensor<4>, kernels: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        match kernels_of(&signal) {
            Some(native) => native.convolve_plane(signal, kernels, bias, *self),
            None => {
                let dilation = [self.row_dilation, 1];
                let options = ConvOptions::new(self.stride, self.padding, dilation, self.groups);
                let signal = signal.permute([0, 3, 1, 2]);
                conv2d(signal, kernels, Some(bias), options).permute([0, 2, 3, 1])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_its_outputs() {
        let plane = PlaneConvolution {
            kernel: [3, 9],
            stride: [1, 2],
            padding: [2, 4],
            row_dilation: 2,
            groups: 1,
        };
        let device = Device::default();
        let signal = Tensor::zeros([2, 7, 33, 4], &device);
        let kernels = Tensor::ones([6, 4, 3, 9], &device);
        let output = plane.forward(signal, kernels, Tensor::ones([6], &device));
        let [rows, columns] = plane.outputs([7, 33]);
        assert_eq!(output.dims(), [2, rows, columns, 6]);
    }
}
