//! The losses of the reconstructed wave.

use std::f64::consts::LN_10;

use audiolm_codec::{LossBalancer, WeighedGradient};
use burn::prelude::*;

use super::{LossWeights, Weighed};

/// Energy below which a wave is silence.
const SILENCE: f64 = 1e-8;

/// A reconstructed wave as the losses hear it.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each batch, and tensors are handles"
)]
pub(crate) enum Heard {
    /// The same by all: gradients of the losses' sum go on to what made it.
    Together(Tensor<3>),
    /// A leaf for each loss, so that one pass backward yields the gradient of each.
    Apart(Leaves),
}

#[derive(Debug, Clone)]
pub(crate) struct Leaves {
    pub(crate) reconstruction: Tensor<3>,
    pub(crate) verdict: Tensor<3>,
    pub(crate) features: Tensor<3>,
}

/// The losses of a reconstructed wave.
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

impl Heard {
    /// `wave` `[batch, 1, samples]`, for losses that are weighed so.
    pub(crate) fn new(wave: &Tensor<3>, of: Weighed) -> Self {
        let leaf = || wave.clone().detach().require_grad();
        match of {
            Weighed::Losses => Self::Together(wave.clone()),
            Weighed::Gradients => {
                Self::Apart(Leaves { reconstruction: leaf(), verdict: leaf(), features: leaf() })
            }
        }
    }

    /// What is compared with the recording.
    pub(crate) fn reconstruction(&self) -> Tensor<3> {
        match self {
            Self::Together(wave) => wave.clone(),
            Self::Apart(leaves) => leaves.reconstruction.clone(),
        }
    }
}

impl WaveLosses {
    /// The losses, each times its weight.
    pub(crate) fn weighed(&self, weights: &LossWeights) -> Tensor<1> {
        let mut sum = self.reconstruction.clone() * weights.reconstruction;
        if let Some(AdversarialLosses { verdict, features }) = self.adversarial.clone() {
            sum = sum + verdict * weights.adversarial + features * weights.features;
        }
        sum
    }

    /// A sum whose gradient with respect to `output`, the wave that was heard, is that of the
    /// losses in balance.
    pub(crate) fn pull(
        &self,
        output: Tensor<3>,
        heard: &Heard,
        weights: &LossWeights,
        balancer: &mut LossBalancer,
    ) -> Tensor<1> {
        let weighed = self.weighed(weights);
        let Heard::Apart(leaves) = heard else { return weighed };
        // The weights are shares of the gradient here: they have no part in what is balanced.
        let equal =
            LossWeights { reconstruction: 1.0, adversarial: 1.0, features: 1.0, ..*weights };
        let gradients = self.weighed(&equal).backward();
        let of = |name, share, leaf: &Tensor<3>| {
            let gradient = leaf.grad(&gradients)?;
            Some(WeighedGradient { name, share, gradient })
        };
        let gradients = [
            of("reconstruction", weights.reconstruction, &leaves.reconstruction),
            of("adversarial", weights.adversarial, &leaves.verdict),
            of("features", weights.features, &leaves.features),
        ];
        let gradient = balancer.balanced(gradients.into_iter().flatten().collect());
        (output * Tensor::from_inner(gradient)).sum()
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
