//! The quantizers on trial: those of the crate, alone or in groups of dimensions, and lookup-free.

use audiolm_codec::{QuantizedOutput, Quantizer, QuantizerConfig, ResidualEma};
use audiolm_nn::Generator;
use burn::prelude::*;

use crate::lookup_free::LookupFree;
use crate::rotation::rotated;

/// How gradients get from what was quantised to what was to be quantised, where the quantizer
/// leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gradient {
    StraightThrough,
    Rotated,
}

#[derive(Module, Debug)]
pub enum Contestant {
    /// One quantizer for each group of dimensions; codes take turns (grouped residual vector
    /// quantisation, arXiv 2305.02765). One group is the quantizer itself.
    Groups(Vec<Quantizer>),
    LookupFree(LookupFree),
}

/// What a training pass yields.
pub struct Pass {
    pub quantized: Tensor<3>,
    /// What to add to the loss, `[1]`.
    pub loss: Tensor<1>,
    /// Of each group.
    pub seen: Vec<QuantizedOutput>,
}

/// DAC's weight of the commitment.
const COMMITMENT: f32 = 0.25;

impl Contestant {
    pub fn grouped(n: usize, config: &QuantizerConfig, dimension: usize, device: &Device) -> Self {
        Self::Groups((0..n).map(|_| config.init(dimension / n, device).unwrap()).collect())
    }

    pub fn fitted(self, vectors: Tensor<2>, rng: &mut Generator) -> Self {
        match self {
            Self::Groups(groups) => {
                let parts = vectors.chunk(groups.len(), 1);
                let fit = |(group, part): (Quantizer, _)| group.fitted(part, rng, |_| {});
                Self::Groups(groups.into_iter().zip(parts).map(fit).collect())
            }
            // Nothing is known to start from but chance.
            lookup_free => lookup_free,
        }
    }

    /// `[batch, quantizer, time]`
    pub fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        match self {
            Self::Groups(groups) => {
                let parts = frames.chunk(groups.len(), 2);
                let codes: Vec<_> =
                    groups.iter().zip(parts).map(|(group, part)| group.encode(part)).collect();
                interleaved(codes)
            }
            Self::LookupFree(it) => it.encode(frames),
        }
    }

    /// From any number of leading quantizers; groups that have none of them are zero.
    pub fn decode(&self, codes: Tensor<3, Int>, dimension: usize) -> Tensor<3> {
        let [batch, n, time] = codes.dims();
        match self {
            Self::Groups(groups) => {
                let n_groups = groups.len();
                let part = |(index, group): (usize, &Quantizer)| {
                    let own: Vec<_> = (index..n)
                        .step_by(n_groups)
                        .map(|at| codes.clone().slice_dim(1, at..at + 1))
                        .collect();
                    match own.is_empty() {
                        true => Tensor::zeros([batch, time, dimension / n_groups], &codes.device()),
                        false => group.decode(Tensor::cat(own, 1)),
                    }
                };
                Tensor::cat(groups.iter().enumerate().map(part).collect(), 2)
            }
            Self::LookupFree(it) => it.decode(codes),
        }
    }

    pub fn forward(&self, input: Tensor<3>, active: &[usize], gradient: Gradient) -> Pass {
        match self {
            Self::Groups(groups) => {
                let n_groups = groups.len();
                let parts = input.clone().chunk(n_groups, 2);
                let pass = |(index, (group, part)): (usize, (&Quantizer, Tensor<3>))| {
                    let own = |it: &usize| (it + n_groups - 1 - index) / n_groups;
                    let active: Vec<usize> = active.iter().map(own).collect();
                    group.forward(part, &active)
                };
                let seen: Vec<QuantizedOutput> =
                    groups.iter().zip(parts).enumerate().map(pass).collect();
                let quantized =
                    Tensor::cat(seen.iter().map(|it| it.quantized.clone()).collect(), 2);
                let loss = seen
                    .iter()
                    .map(|it| it.codebook.clone() + it.commitment.clone() * COMMITMENT)
                    .reduce(|sum, it| sum + it)
                    .unwrap();
                let quantized = match gradient {
                    Gradient::StraightThrough => quantized,
                    Gradient::Rotated => rotated(input, quantized.detach()),
                };
                Pass { quantized, loss, seen }
            }
            Self::LookupFree(it) => it.forward(input, active),
        }
    }

    pub fn averages(&self, vectors_per_step: usize) -> Vec<ResidualEma> {
        match self {
            Self::Groups(groups) => {
                groups.iter().map(|it| ResidualEma::new(it, vectors_per_step)).collect()
            }
            Self::LookupFree(_) => Vec::new(),
        }
    }

    pub fn learn(
        self,
        averages: Vec<ResidualEma>,
        seen: &[QuantizedOutput],
        rng: &mut Generator,
    ) -> (Vec<ResidualEma>, Self) {
        match self {
            Self::Groups(groups) => {
                let all = averages.into_iter().zip(groups).zip(seen);
                let learnt = all.map(|((averages, group), seen)| averages.learn(group, seen, rng));
                let (averages, groups) = learnt.unzip();
                (averages, Self::Groups(groups))
            }
            lookup_free => (averages, lookup_free),
        }
    }

    pub fn codebook_size(&self) -> usize {
        match self {
            Self::Groups(groups) => groups[0].codebook_size(),
            Self::LookupFree(it) => it.codebook_size(),
        }
    }
}

/// The first code of each group, the second of each, and so on.
fn interleaved(groups: Vec<Tensor<3, Int>>) -> Tensor<3, Int> {
    let [batch, levels, time] = groups[0].dims();
    let n = groups.len();
    let stacked: Tensor<4, Int> = Tensor::stack(groups, 2);
    stacked.reshape([batch, levels * n, time])
}
