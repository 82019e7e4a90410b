//! Losses weighed by their gradients rather than by their values.

use std::collections::BTreeMap;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

/// Share of the old average that is kept at each step (β in the paper).
const DECAY: f32 = 0.999;
/// Norm of the balanced gradient (R in the paper).
const TOTAL_NORM: f32 = 1.0;
/// Keeps the share of a gradient of zeros finite.
const SILENCE: f32 = 1e-12;

/// The loss balancer of EnCodec (arXiv 2210.13438, section 3.4, equation 5): every loss gets its
/// share of the gradient that the reconstructed wave receives, however large it is.
///
/// It is the running averages of the gradients' norms; what they belong to is named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LossBalancer {
    norms: BTreeMap<String, RunningNorm>,
}

/// The gradient of one loss with respect to the reconstructed wave, and its share of the whole.
#[derive(Debug, Clone)]
pub struct WeighedGradient {
    /// What the running average is kept under.
    pub name: &'static str,
    /// The share, as a part of the sum of all shares (λ in the paper).
    pub share: f64,
    /// `[batch, 1, samples]`
    pub gradient: Tensor<3>,
}

/// A mean of norms that forgets; its first values count as much as they should.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunningNorm {
    sum: f32,
    weight: f32,
}

impl LossBalancer {
    /// One gradient of all, `[batch, 1, samples]`: the sum of each over the running average of its
    /// norm, times its share.
    ///
    /// The norm of a gradient is the mean of those of its examples.
    ///
    /// # Panics
    /// Where there are no gradients, or their shapes differ.
    pub fn balanced(&mut self, gradients: Vec<WeighedGradient>) -> Tensor<3> {
        let total: f64 = gradients.iter().map(|it| it.share).sum();
        let scaled = gradients.into_iter().map(|it| {
            let norm = self.norms.entry(it.name.to_owned()).or_default();
            let average = norm.with(mean_norm(it.gradient.clone()));
            it.gradient * (TOTAL_NORM * (it.share / total) as f32 / (average + SILENCE))
        });
        scaled.reduce(|sum, it| sum + it).expect("at least one gradient")
    }
}

impl RunningNorm {
    /// Takes in a norm; the average with it.
    fn with(&mut self, norm: f32) -> f32 {
        self.sum = DECAY * self.sum + (1.0 - DECAY) * norm;
        self.weight = DECAY * self.weight + (1.0 - DECAY);
        self.sum / self.weight
    }
}

fn mean_norm(gradient: Tensor<3>) -> f32 {
    gradient.square().sum_dim(2).sqrt().mean().into_scalar()
}
