//! A bias over time, in frames, beside the one over tokens.
//!
//! **Our addition to the paper.** A bias over tokens cannot tell which tokens sound together:
//! between a fine code and the coarse codes of its own frame stand hundreds of others, more or
//! fewer with the length of the clip, and deduplicated semantic ids keep no time at all. Large
//! stacks may learn to count. Ours are told when each token sounds, and every head learns how
//! much it cares for what sounds Δ frames before or after,
//!
//! ```text
//! bias(Δ) = Σ_k a_k·cos(ω_k·Δ) + b_k·sin(ω_k·Δ)
//! ```
//!
//! As Δ is a difference of two frames, the sum splits into a product of features of the query's
//! frame and features of the key's: it costs a few more features in queries and keys, and no pass
//! over the scores. Only differences count, so a clip may be longer than any seen in training.

use std::f64::consts::TAU;

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

/// Number of frequencies.
const N_RATES: usize = 16;
/// Periods of the fastest and the slowest, in frames.
const PERIODS: [f64; 2] = [4.0, 1024.0];

/// What each head makes of a difference in time; shared by all layers.
#[derive(Module, Debug)]
pub struct Clock {
    /// `a`, `[heads, rates]`.
    even: Param<Tensor<2>>,
    /// `b`, `[heads, rates]`.
    odd: Param<Tensor<2>>,
}

/// Features whose product is the bias.
#[derive(Debug, Clone)]
pub(crate) struct ClockFeatures {
    /// `[batch, heads, time, features]`.
    queries: Tensor<4>,
    /// `[batch, 1, time, features]`: the same for all heads.
    keys: Tensor<4>,
}

impl ClockFeatures {
    /// Queries and keys, `[batch, heads, time, d_head]`, with these features behind their own.
    pub(crate) fn beside(&self, queries: Tensor<4>, keys: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let [batch, n_kv_heads, time, _] = keys.dims();
        let of_keys = self.keys.clone().expand([batch, n_kv_heads, time, Clock::N_FEATURES]);
        let queries = Tensor::cat(vec![queries, self.queries.clone()], 3);
        (queries, Tensor::cat(vec![keys, of_keys], 3))
    }

    /// These with the learnt half as `f` makes it.
    pub(crate) fn map_queries(self, f: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        Self { queries: f(self.queries), ..self }
    }

    /// These, after `n` positions that sound at no time: for them there is no bias.
    pub(crate) fn after_timeless(self, n: usize) -> Self {
        let after = |features: Tensor<4>| {
            let [batch, heads, _, n_features] = features.dims();
            let timeless = Tensor::zeros([batch, heads, n, n_features], &features.device());
            Tensor::cat(vec![timeless, features], 2)
        };
        Self { queries: after(self.queries), keys: after(self.keys) }
    }

    /// Those of `time` positions that sound at no time, in a batch, for as many heads.
    pub(crate) fn timeless([batch, heads, time]: [usize; 3], device: &Device) -> Self {
        let zeros = |heads| Tensor::zeros([batch, heads, time, Clock::N_FEATURES], device);
        Self { queries: zeros(heads), keys: zeros(1) }
    }
}

impl Clock {
    /// Features of a query, and of a key.
    pub(crate) const N_FEATURES: usize = 2 * N_RATES;

    /// A clock that slightly prefers what sounds at the same time.
    pub(crate) fn init(n_heads: usize, device: &Device) -> Self {
        let even = Initializer::Normal { mean: 0.1, std: 0.05 };
        let odd = Initializer::Normal { mean: 0.0, std: 0.05 };
        Self {
            even: even.init([n_heads, N_RATES], device),
            odd: odd.init([n_heads, N_RATES], device),
        }
    }

    /// # Shapes
    /// - frames: `[batch, time]`
    pub(crate) fn features(&self, frames: Tensor<2>) -> ClockFeatures {
        let [batch, time] = frames.dims();
        let [heads, _] = self.even.dims();
        let phases = frames.reshape([batch, 1, time, 1]) * rates(&self.even.val().device());
        let (cos, sin) = (phases.clone().cos(), phases.sin());
        let even = self.even.val().reshape([1, heads, 1, N_RATES]);
        let odd = self.odd.val().reshape([1, heads, 1, N_RATES]);
        let of_cos = even.clone() * cos.clone() + odd.clone() * sin.clone();
        let of_sin = even * sin.clone() - odd * cos.clone();
        ClockFeatures {
            queries: Tensor::cat(vec![of_cos, of_sin], 3),
            keys: Tensor::cat(vec![cos, sin], 3),
        }
    }
}

/// The angles that pass in a frame, `[1, 1, 1, rates]`.
fn rates(device: &Device) -> Tensor<4> {
    let [fastest, slowest] = PERIODS;
    let period = |idx: usize| fastest * (slowest / fastest).powf(idx as f64 / (N_RATES - 1) as f64);
    let rates: Vec<f32> = (0..N_RATES).map(|idx| (TAU / period(idx)) as f32).collect();
    Tensor::<1>::from_data(rates.as_slice(), device).reshape([1, 1, 1, N_RATES])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;

    /// The biases between frames, `[heads, frames, frames]`.
    fn bias(clock: &Clock, frames: &[f32]) -> Tensor<3> {
        let frames = Tensor::<1>::from_data(frames, &Device::default()).unsqueeze();
        let ClockFeatures { queries, keys } = clock.features(frames);
        queries.matmul(keys.swap_dims(2, 3)).squeeze_dim(0)
    }

    #[test]
    fn only_differences_count() {
        let clock = laws::seeded(Clock::init(2, &Device::default()));
        let early = bias(&clock, &[0.0, 1.0, 5.0, 2.0]);
        let late = bias(&clock, &[700.0, 701.0, 705.0, 702.0]);
        let error = (early - late).abs().max().into_scalar::<f32>();
        assert!(error < 1e-3, "{error}");
    }

    #[test]
    fn the_product_is_the_sum() {
        let clock = laws::seeded(Clock::init(1, &Device::default()));
        let found: Vec<f32> = bias(&clock, &[3.0, 20.0]).into_data().try_to_vec().unwrap();
        let host = |it: &Param<Tensor<2>>| it.val().into_data().try_to_vec::<f32>().unwrap();
        let (a, b) = (host(&clock.even), host(&clock.odd));
        let rates: Vec<f32> = rates(&Device::default()).into_data().try_to_vec().unwrap();
        let expected = |difference: f32| -> f32 {
            let term = |k: usize| {
                let phase = rates[k] * difference;
                a[k] * phase.cos() + b[k] * phase.sin()
            };
            (0..N_RATES).map(term).sum()
        };
        // Queries at 3 and 20 to keys at 3 and 20.
        laws::check_close(&found, &[expected(0.0), expected(-17.0), expected(17.0), expected(0.0)]);
    }
}
