//! One of several candidates, by what is likely to follow it.
//!
//! A causal model can be asked for what fits between two sides, though it only ever draws from left
//! to right: gaps drawn given the left side come from p(gap | left), and become draws from
//!
//! ```text
//! p(gap | left, right) ∝ p(gap | left) · p(right | left, gap)
//! ```
//!
//! where one of them is drawn again with weights p(right | left, gap). That is sampling importance
//! resampling (Rubin 1987, "The calculation of posterior distributions by data augmentation:
//! comment"; Smith and Gelfand 1992): exact for many candidates, and for one of them what is drawn
//! without looking to the right.

use audiolm_nn::Generator;
use rand::RngExt;
use serde::Serialize;

/// What was chosen among.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidates {
    /// How likely what follows is after each, in nats, as far as it was looked at.
    pub log_likelihoods: Vec<f64>,
    /// The one that was chosen.
    pub chosen: usize,
}

impl Candidates {
    /// Chooses one of them with the probability that its weight has among all.
    ///
    /// # Panics
    /// Where there are none.
    pub(crate) fn resampled(log_likelihoods: Vec<f64>, rng: &mut Generator) -> Self {
        let peak = log_likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = log_likelihoods.iter().map(|it| (it - peak).exp()).collect();
        let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
        let reached = |weight: &f64| {
            left -= weight;
            left < 0.0
        };
        // Rounding may leave a crumb: it belongs to the likeliest.
        let likeliest = || log_likelihoods.iter().position(|it| *it == peak).expect("a candidate");
        let chosen = weights.iter().position(reached).unwrap_or_else(likeliest);
        Self { log_likelihoods, chosen }
    }

    /// How much likelier what follows is than after a candidate taken blindly, in nats.
    pub fn gain(&self) -> f64 {
        let mean = self.log_likelihoods.iter().sum::<f64>() / self.log_likelihoods.len() as f64;
        self.log_likelihoods[self.chosen] - mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;

    #[test]
    fn candidates_are_chosen_as_often_as_their_weights_say() {
        const DRAWS: usize = 10_000;
        // Of weights, not of their logarithms: 1, 2, 5 and 0.
        let logs = [1.0_f64, 2.0, 5.0, 0.0].map(|it| it.ln() - 700.0).to_vec();
        let mut counts = [0; 4];
        let mut rng = generator(1, "test", 0);
        for _ in 0..DRAWS {
            counts[Candidates::resampled(logs.clone(), &mut rng).chosen] += 1;
        }
        assert_eq!(counts[3], 0);
        for (count, weight) in counts.iter().zip([1.0, 2.0, 5.0]) {
            let (share, expected) = (f64::from(*count) / DRAWS as f64, weight / 8.0);
            // Four standard deviations.
            let allowed = 4.0 * (expected * (1.0 - expected) / DRAWS as f64).sqrt();
            assert!((share - expected).abs() <= allowed, "{share} for {expected}");
        }
    }

    #[test]
    fn the_gain_is_over_a_blind_choice() {
        let candidates = Candidates { log_likelihoods: vec![-4.0, -1.0, -1.0], chosen: 1 };
        assert_eq!(candidates.gain(), 1.0);
        let alone = Candidates::resampled(vec![-900.0], &mut generator(1, "test", 0));
        assert_eq!((alone.chosen, alone.gain()), (0, 0.0));
    }
}
