//! The normalisation over all that an example holds.

use burn::prelude::*;

use crate::kernels::kernels_of;

/// Keeps silence from being divided by its deviation.
const SMALLEST_VARIANCE: f64 = 1e-5;

/// Zero mean and unit variance for each example, then a scale and an offset for each channel: group
/// normalisation with one group (Wu and He 2018, arXiv 1803.08494), channels last. By a
/// [kernel](crate::Kernels) of the backend where it has one.
///
/// # Shapes
/// - input and output: `[batch, ..., channels]`
/// - scale and offset: `[channels]`
pub fn example_norm<const D: usize>(
    input: Tensor<D>,
    scale: Tensor<1>,
    offset: Tensor<1>,
) -> Tensor<D> {
    let shape = input.dims();
    let (batch, channels) = (shape[0], shape[D - 1]);
    let n = shape[1..D - 1].iter().product();
    let examples = input.reshape([batch, n, channels]);
    let normal = match kernels_of(&examples) {
        Some(kernels) => kernels.example_norm(examples, scale, offset, SMALLEST_VARIANCE as f32),
        None => {
            let flat = examples.reshape([batch, n * channels]);
            let centred = flat.clone() - flat.mean_dim(1);
            let variance = centred.clone().square().mean_dim(1);
            let normal = centred / (variance + SMALLEST_VARIANCE).sqrt();
            normal.reshape([batch, n, channels]) * scale.unsqueeze() + offset.unsqueeze()
        }
    };
    normal.reshape(shape)
}
