//! Lookup-free quantisation (Yu et al. 2023, arXiv 2310.05737, section 3.1), residually.

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;

use crate::contestant::Pass;

/// Weights of the entropy penalty and of the commitment.
const ENTROPY: f32 = 0.1;
const COMMITMENT: f32 = 0.25;
/// How sharply a number leans to one side.
const SHARPNESS: f32 = 4.0;

/// Signs of projections: bits, and no codebook.
#[derive(Module, Debug)]
pub struct LookupFree {
    levels: Vec<Level>,
    n_bits: usize,
}

#[derive(Module, Debug)]
struct Level {
    in_projection: Linear,
    out_projection: Linear,
}

impl LookupFree {
    pub fn new(n_quantizers: usize, n_bits: usize, dimension: usize, device: &Device) -> Self {
        let level = |_| Level {
            in_projection: LinearConfig::new(dimension, n_bits).init(device),
            out_projection: LinearConfig::new(n_bits, dimension).init(device),
        };
        Self { levels: (0..n_quantizers).map(level).collect(), n_bits }
    }

    pub fn codebook_size(&self) -> usize {
        1 << self.n_bits
    }

    pub fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        let device = frames.device();
        let places: Vec<f32> = (0..self.n_bits).map(|it| (1 << it) as f32).collect();
        let places = Tensor::<3>::from_data(TensorData::new(places, [1, 1, self.n_bits]), &device);
        let mut residual = frames;
        let codes = self.levels.iter().map(|level| {
            let signs = signs(level.in_projection.forward(residual.clone()));
            residual = residual.clone() - level.out_projection.forward(signs.clone());
            let bits = (signs + 1.0) / 2.0;
            (bits * places.clone()).sum_dim(2).int().swap_dims(1, 2)
        });
        Tensor::cat(codes.collect(), 1)
    }

    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        let levels = self.levels.iter().zip(codes.split(1, 1));
        let vectors = levels.map(|(level, codes)| {
            let mut left = codes.swap_dims(1, 2);
            let bits = (0..self.n_bits).map(|_| {
                let bit = left.clone().remainder_scalar(2);
                left = (left.clone() - bit.clone()).div_scalar(2);
                bit.float() * 2.0 - 1.0
            });
            level.out_projection.forward(Tensor::cat(bits.collect(), 2))
        });
        vectors.reduce(|sum, it| sum + it).unwrap()
    }

    pub fn forward(&self, input: Tensor<3>, active: &[usize]) -> Pass {
        let device = input.device();
        let mut sum = input.zeros_like();
        let mut loss = Tensor::zeros([1], &device);
        let mut residual = input;
        for (index, level) in self.levels.iter().enumerate() {
            let numbers = level.in_projection.forward(residual.clone());
            let signs = signs(numbers.clone().detach());
            let distance = (numbers.clone() - signs.clone()).square().mean();
            loss = loss + distance * COMMITMENT + penalty(numbers.clone()) * ENTROPY;
            let straight_through = numbers.clone() + (signs - numbers).detach();
            let vectors = level.out_projection.forward(straight_through);
            let used: Vec<f32> = active.iter().map(|it| f32::from(index < *it)).collect();
            let used = TensorData::new(used, [active.len(), 1, 1]);
            sum = sum + vectors.clone() * Tensor::<3>::from_data(used, &device);
            residual = residual - vectors;
        }
        Pass { quantized: sum, loss, seen: Vec::new() }
    }
}

fn signs(numbers: Tensor<3>) -> Tensor<3> {
    numbers.greater_elem(0.0).float() * 2.0 - 1.0
}

/// The mean entropy of the bits of a vector, less that of bits over all vectors: each is to be
/// certain, and all together even.
fn penalty(numbers: Tensor<3>) -> Tensor<1> {
    let ones = sigmoid(numbers * (2.0 * SHARPNESS));
    let all = ones.clone().mean_dim(0).mean_dim(1);
    entropy(ones).mean() - entropy(all).mean()
}

fn entropy(ones: Tensor<3>) -> Tensor<3> {
    let ones = ones.clamp(1e-6, 1.0 - 1e-6);
    let zeros = ones.clone().neg() + 1.0;
    (ones.clone() * ones.log() + zeros.clone() * zeros.log()).neg()
}
