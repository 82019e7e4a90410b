//! What discriminator and codec are trained for when they are trained against one another.

use burn::prelude::*;
use burn::tensor::activation::relu;
use serde::{Deserialize, Serialize};

use crate::DiscriminatorOutput;

/// Keeps the relative distance of features that are all zero finite.
const SILENCE: f64 = 1e-8;

/// How the distance of features is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureDistance {
    /// The mean of absolute differences (SoundStream, arXiv 2107.03312, equation 3).
    Absolute,
    /// The same as a share of the mean of the recording's features (EnCodec, arXiv 2210.13438,
    /// equation 2).
    Relative,
}

/// The discriminators' loss: the hinge of what they say of recordings and of reconstructions,
/// mean over logits and scales (arXiv 2107.03312, equation 1): `[1]`.
///
/// # Panics
/// Where the two are not judged by the same scales, or by none.
pub fn discriminator_hinge(
    recording: &[DiscriminatorOutput],
    reconstruction: &[DiscriminatorOutput],
) -> Tensor<1> {
    let pairs = paired(recording, reconstruction);
    let hinge = |(real, fake): (&DiscriminatorOutput, &DiscriminatorOutput)| {
        below_one(real.logits.clone()) + below_one(-fake.logits.clone())
    };
    mean(pairs.map(hinge).collect())
}

/// The codec's adversarial loss: the hinge of what is said of its reconstructions, mean over logits
/// and scales (arXiv 2107.03312, equation 2): `[1]`.
///
/// # Panics
/// Where nothing judges.
pub fn generator_hinge(reconstruction: &[DiscriminatorOutput]) -> Tensor<1> {
    mean(reconstruction.iter().map(|it| below_one(it.logits.clone())).collect())
}

/// How far the discriminators' features of a reconstruction are from those of the recording, mean
/// over layers and scales: `[1]`. Gradients reach the reconstruction alone.
///
/// # Panics
/// Where the two are not judged by the same scales, or by none.
pub fn feature_matching(
    recording: &[DiscriminatorOutput],
    reconstruction: &[DiscriminatorOutput],
    distance: FeatureDistance,
) -> Tensor<1> {
    let layers = paired(recording, reconstruction)
        .flat_map(|(real, fake)| real.features.iter().zip(&fake.features));
    let distances = layers.map(|(real, fake)| {
        let real = real.clone().detach();
        let difference = (fake.clone() - real.clone()).abs().mean();
        match distance {
            FeatureDistance::Absolute => difference,
            FeatureDistance::Relative => difference / (real.abs().mean() + SILENCE),
        }
    });
    mean(distances.collect())
}

fn paired<'a>(
    recording: &'a [DiscriminatorOutput],
    reconstruction: &'a [DiscriminatorOutput],
) -> impl Iterator<Item = (&'a DiscriminatorOutput, &'a DiscriminatorOutput)> {
    assert_eq!(recording.len(), reconstruction.len(), "scales that judge");
    recording.iter().zip(reconstruction)
}

fn below_one(logits: Tensor<4>) -> Tensor<1> {
    relu(1.0 - logits).mean()
}

fn mean(terms: Vec<Tensor<1>>) -> Tensor<1> {
    let n = terms.len();
    terms.into_iter().reduce(|sum, it| sum + it).expect("at least one term") / n as f32
}
