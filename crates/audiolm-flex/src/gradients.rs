//! What backward passes have in common.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Shape, TensorMetadata};

/// A gradient, which has none of its own.
pub(crate) fn from_inner<B: Backend, C: CheckpointStrategy>(
    gradient: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    <Autodiff<B, C> as AutodiffBackend>::from_inner(gradient)
}

/// The sums of all dimensions but the last: `[channels]`.
pub(crate) fn channel_sums<B: Backend>(gradient: FloatTensor<B>) -> FloatTensor<B> {
    let shape = gradient.shape();
    let channels = shape[shape.num_dims() - 1];
    let flat = Shape::new([shape.num_elements() / channels, channels]);
    let sums = B::float_sum_dim(B::float_reshape(gradient, flat), 0);
    B::float_reshape(sums, Shape::new([channels]))
}
