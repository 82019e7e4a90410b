//! The losses of the reconstructed wave.

use std::f64::consts::LN_10;

use audiolm_codec::{LossBalancer, WeighedGradient};
use burn::prelude::*;

use crate::LossWeights;

/// Energy below which a wave is silence.
const SILENCE: f64 = 1e-8;

/// What a reconstructed wave is judged by.
#[derive(Debug, Clone)]
pub(crate) struct WaveLosses {
    /// The distances of waves and their spectra, added up.
    pub(crate) reconstruction: Tensor<1>,
    /// Of discriminators, once there are any.
    pub(crate) adversarial: Option<AdversarialLosses>,
}

#[derive(Debug, Clone)]
pub(crate) struct AdversarialLosses {
    /// What the discriminators say.
    pub(crate) verdict: Tensor<1>,
    /// How far their features are apart.
    pub(crate) features: Tensor<1>,
}

impl WaveLosses {
    /// The losses, each times its weight.
    pub(crate) fn weighed(&self, weights: &LossWeights) -> Tensor<1> {
        let weighed = self.named(weights).into_iter().map(|(_, weight, loss)| loss * weight);
        weighed.reduce(|sum, it| sum + it).expect("there is a reconstruction")
    }

    /// A sum whose gradient with respect to `output` is that of the losses, brought into balance;
    /// the losses are those of `heard`, the output as a leaf.
    pub(crate) fn balanced(
        &self,
        weights: &LossWeights,
        balancer: &mut LossBalancer,
        heard: &Tensor<3>,
        output: Tensor<3>,
    ) -> Tensor<1> {
        let gradients = self.named(weights).into_iter().filter_map(|(name, share, loss)| {
            let gradient = heard.grad(&loss.backward())?;
            Some(WeighedGradient { name, share, gradient })
        });
        let gradient = balancer.balanced(gradients.collect());
        (output * Tensor::from_inner(gradient)).sum()
    }

    /// Every loss with its name and weight.
    fn named(&self, weights: &LossWeights) -> Vec<(&'static str, f64, Tensor<1>)> {
        let reconstruction = self.reconstruction.clone();
        let mut named = vec![("reconstruction", weights.reconstruction, reconstruction)];
        if let Some(AdversarialLosses { verdict, features }) = self.adversarial.clone() {
            named.push(("adversarial", weights.adversarial, verdict));
            named.push(("features", weights.features, features));
        }
        named
    }
}

/// The logarithm of the share of a wave's energy that its reconstruction misses, mean over the
/// batch: `[1]`.
pub(crate) fn log_noise_share(wave: Tensor<3>, output: Tensor<3>) -> Tensor<1> {
    let energy = |it: Tensor<3>| it.square().mean_dim(2) + SILENCE;
    (energy(output - wave.clone()).log() - energy(wave).log()).mean()
}

/// The ratio of signal to noise, from the logarithm of the noise's share.
pub(crate) fn decibels(log_noise_share: Tensor<1>) -> f64 {
    -10.0 / LN_10 * scalar(log_noise_share)
}

pub(crate) fn scalar(value: Tensor<1>) -> f64 {
    f64::from(value.into_scalar::<f32>())
}
