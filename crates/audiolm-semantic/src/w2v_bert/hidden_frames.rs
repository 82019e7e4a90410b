//! The frames that pretraining hides, and what stands in for them.

use std::f64::consts::TAU;

use audiolm_nn::Generator;
use burn::prelude::*;
use rand::RngExt;
use rand::distr::Open01;

use crate::SpanMasking;

/// Deviation of the noise that stands in for a hidden frame. w2v-BERT speaks of random vectors; how
/// they are drawn is said of its successor BEST-RQ (Chiu et al. 2022, arXiv 2202.01855, section 4.1).
const NOISE_DEVIATION: f64 = 0.1;

/// Which frames of a batch are hidden.
#[derive(Debug, Clone)]
pub(crate) struct HiddenFrames {
    /// `true` where a frame is hidden: `[batch, time]`
    mask: Tensor<2, Bool>,
    /// Where the hidden ones lie when the clips follow one another: `[n_hidden]`
    positions: Tensor<1, Int>,
    /// How many of each clip are hidden.
    counts: Vec<usize>,
    /// What stands in for each frame: `[batch, time, n_features]`
    noise: Tensor<3>,
}

impl HiddenFrames {
    /// Draws them on the host, for features of this shape.
    pub(crate) fn draw(
        masking: &SpanMasking,
        [batch, time, n_features]: [usize; 3],
        rng: &mut Generator,
        device: &Device,
    ) -> Self {
        let masks: Vec<Vec<bool>> = (0..batch).map(|_| masking.sample(time, rng)).collect();
        let counts = masks.iter().map(|it| it.iter().filter(|it| **it).count()).collect();
        let mask = masks.concat();
        let positions = mask.iter().enumerate().filter(|it| *it.1).map(|it| it.0 as i64);
        let positions: Vec<i64> = positions.collect();
        let noise: Vec<f32> = (0..batch * time * n_features).map(|_| normal(rng)).collect();
        let noise = TensorData::new(noise, [batch, time, n_features]);
        Self {
            positions: Tensor::from_data(positions.as_slice(), device),
            mask: Tensor::from_data(TensorData::new(mask, [batch, time]), device),
            counts,
            noise: Tensor::from_data(noise, device) * NOISE_DEVIATION,
        }
    }

    /// The same features with noise in place of the hidden ones: `[batch, time, n_features]`.
    pub(crate) fn hide(&self, features: Tensor<3>) -> Tensor<3> {
        let shape = self.noise.dims();
        assert_shape!(features, [shape[0], shape[1], shape[2]]);
        let mask: Tensor<3, Bool> = self.mask.clone().unsqueeze_dim(2);
        features.mask_where(mask.expand(shape), self.noise.clone())
    }

    /// What lies where frames are hidden, clip after clip: `[batch, time, width]` to
    /// `[n_hidden, width]`.
    pub(crate) fn of(&self, features: Tensor<3>) -> Tensor<2> {
        features.flatten::<2>(0, 1).select(0, self.positions.clone())
    }

    /// How many frames of each clip are hidden.
    pub(crate) fn counts(&self) -> &[usize] {
        &self.counts
    }
}

/// From the standard normal distribution (Box and Muller 1958).
fn normal(rng: &mut Generator) -> f32 {
    let radius: f64 = rng.sample(Open01);
    let angle: f64 = rng.sample(Open01);
    ((-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;

    #[test]
    fn noise_stands_in_for_hidden_frames_alone() {
        let device = Device::default();
        let rng = &mut generator(0, "hidden", 0);
        let hidden = HiddenFrames::draw(&SpanMasking::new(), [2, 100, 80], rng, &device);
        let features = Tensor::<3>::ones([2, 100, 80], &device) * 5.0;
        let entered = hidden.hide(features.clone());
        let n_hidden: usize = hidden.counts().iter().sum();
        let kept = entered.clone().equal(features).int().sum().into_scalar::<i64>();
        assert_eq!(kept as usize, (200 - n_hidden) * 80);

        let noise = hidden.of(entered);
        assert_eq!(noise.dims(), [n_hidden, 80]);
        let deviation = noise.square().mean().sqrt().into_scalar::<f32>();
        assert!((deviation / NOISE_DEVIATION as f32 - 1.0).abs() < 0.05, "{deviation}");
    }
}
