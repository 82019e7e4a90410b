//! Linear layers that project onto principal directions and back.

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;

use crate::quantizer::principal::Principal;

/// What becomes of a number of each direction: times `scales`, plus `offsets`, both
/// `[1, n_directions]`.
#[derive(Debug, Clone)]
pub(crate) struct Scaling {
    pub scales: Tensor<2>,
    pub offsets: Tensor<2>,
}

impl Scaling {
    /// Every number stays what it is.
    pub(crate) fn none(n_directions: usize, device: &Device) -> Self {
        let shape = [1, n_directions];
        Self { scales: Tensor::ones(shape, device), offsets: Tensor::zeros(shape, device) }
    }
}

/// A layer whose output is the scaled coordinates.
///
/// # Panics
/// Where the layer has no bias.
pub(crate) fn onto(layer: Linear, principal: &Principal, scaling: &Scaling) -> Linear {
    let weight = principal.directions.clone() * scaling.scales.clone();
    let bias = scaling.offsets.clone() - principal.mean.clone().matmul(weight.clone());
    with_values(layer, weight, bias)
}

/// A layer whose output is the mean and its scaled inputs along the directions.
///
/// # Panics
/// Where the layer has no bias.
pub(crate) fn back(layer: Linear, principal: &Principal, scaling: &Scaling) -> Linear {
    let directions = principal.directions.clone().transpose();
    let weight = (principal.directions.clone() * scaling.scales.clone()).transpose();
    let bias = principal.mean.clone() + scaling.offsets.clone().matmul(directions);
    with_values(layer, weight, bias)
}

fn with_values(layer: Linear, weight: Tensor<2>, bias: Tensor<2>) -> Linear {
    let old = layer.bias.expect("a projection has a bias");
    let bias = replaced(old, bias.squeeze_dim(0));
    Linear { weight: replaced(layer.weight, weight), bias: Some(bias) }
}

/// The parameter with another value, which learns if the old one did.
pub(crate) fn replaced<const D: usize>(
    param: Param<Tensor<D>>,
    value: Tensor<D>,
) -> Param<Tensor<D>> {
    param.map(|old| value.detach().set_require_grad(old.is_require_grad()))
}
