//! The rotation trick (Fifty et al. 2024, arXiv 2410.06424, section 4).

use burn::prelude::*;

/// Keeps a vector without length from being divided by it.
const SHORTEST: f32 = 1e-6;

/// `quantized`, as that rotation and stretching of `input` which makes it so, and which gradients
/// take for given: they arrive turned back by it.
///
/// # Shapes
/// - input, quantized and output: `[batch, time, dimension]`
pub fn rotated(input: Tensor<3>, quantized: Tensor<3>) -> Tensor<3> {
    let from = unit(input.clone().detach());
    let to = unit(quantized.clone());
    let between = unit(from.clone() + to.clone());
    let stretch = length(quantized) / length(input.clone().detach());
    let reflected = between.clone() * dot(&between, &input) * 2.0;
    let turned = to * dot(&from, &input) * 2.0;
    (input - reflected + turned) * stretch
}

fn dot(one: &Tensor<3>, other: &Tensor<3>) -> Tensor<3> {
    (one.clone() * other.clone()).sum_dim(2)
}

fn length(vectors: Tensor<3>) -> Tensor<3> {
    vectors.square().sum_dim(2).sqrt().clamp_min(SHORTEST)
}

fn unit(vectors: Tensor<3>) -> Tensor<3> {
    vectors.clone() / length(vectors)
}
