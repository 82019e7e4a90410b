//! Weights of eight bits: a step of a decoder then reads a quarter as much.

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::quantization::{QuantScheme, QuantStore, QuantValue, ScaleDtype};

use crate::kernels::kernels_of;

/// The greatest number of eight bits, with either sign.
const GREATEST: f32 = 127.0;
/// Weights of a column that share a scale, at most, and at least for it to be worth it.
const GROUP: [usize; 2] = [128, 32];

/// What weights are multiplied as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weights {
    /// As they are, 32 bits each.
    #[default]
    Float32,
    /// As eight bits, times a scale for up to 128 in a column. Only for use, not to learn: nothing has
    /// a gradient.
    Int8,
}

impl Weights {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Float32, Self::Int8];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Int8 => "int8",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The module with the weights of its linear layers so. Norms, biases and tables of embeddings
    /// stay as they are.
    ///
    /// A backend that has a [kernel](crate::Kernels) multiplies bytes, others the numbers that the
    /// bytes stand for.
    pub fn of<M: Module>(self, module: M) -> M {
        match self {
            Weights::Float32 => module,
            Weights::Int8 => module.map(&mut Narrow { path: Vec::new() }),
        }
    }
}

struct Narrow {
    path: Vec<String>,
}

impl ModuleMapper for Narrow {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.path.last().is_some_and(|it| it == "weight") && D == 2 {
            true => param.map(narrowed),
            false => param,
        }
    }
}

/// A matrix in eight bits, or unchanged if its columns have no parts of a good size.
fn narrowed<const D: usize>(matrix: Tensor<D>) -> Tensor<D> {
    let dims = matrix.dims();
    let [d_in, d_out] = [dims[0], dims[1]];
    let [most, least] = GROUP;
    let Some(group) = (least..=most).rev().find(|it| d_in.is_multiple_of(*it)) else {
        return matrix;
    };
    let packs = kernels_of(&matrix).is_some();
    let grouped = matrix.reshape([d_in / group, group, d_out]);
    let scales = grouped.clone().abs().max_dim(1).div_scalar(GREATEST);
    let scales = scales.clamp_min(f32::MIN_POSITIVE);
    let numbers = (grouped / scales.clone()).round();
    match packs {
        true => packed(numbers, scales, dims),
        false => (numbers * scales).reshape(dims),
    }
}

/// Bytes of `[groups, group, d_out]` numbers and `[groups, 1, d_out]` scales.
fn packed<const D: usize>(numbers: Tensor<3>, scales: Tensor<3>, dims: [usize; D]) -> Tensor<D> {
    let ([_, group, _], device) = (numbers.dims(), numbers.device());
    let scheme = QuantScheme::default()
        .with_value(QuantValue::Q8S)
        .with_store(QuantStore::Native)
        .per_block([group as u8, 1], ScaleDtype::F32);
    let host = |it: Tensor<3>| it.into_data().try_to_vec::<f32>().expect("single precision");
    let bytes: Vec<i8> = host(numbers).into_iter().map(|it| it as i8).collect();
    let data = TensorData::quantized(bytes, dims, scheme, &host(scales), None);
    Tensor::from_data(data, &device)
}
