//! The one place where a token is chosen.

use audiolm_nn::Generator;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::SamplingError;
use crate::repetition::Repetition;

/// How to draw a token from logits.
///
/// The logits are divided by the temperature; then only the `top_k` most likely tokens stay, of
/// these only the fewest whose probabilities sum to `top_p`, and of these only those that are at
/// least `min_p` times as likely as the likeliest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Below 1 favours likely tokens, above 1 unlikely ones; 0 always takes the likeliest.
    pub temperature: f64,
    /// How many of the likeliest tokens stay; all of them without a value.
    #[serde(default)]
    pub top_k: Option<usize>,
    /// How much probability the remaining tokens must reach; all of it without a value.
    #[serde(default)]
    pub top_p: Option<f64>,
    /// How likely a token must be beside the likeliest, from 0 to 1 (Nguyen et al. 2024, "Min-p",
    /// arXiv 2407.01082): few stay where the model is sure, and many where it is not.
    #[serde(default)]
    pub min_p: Option<f64>,
    /// What is done about tokens that come again and again.
    #[serde(default)]
    pub repetition: Repetition,
}

impl Sampling {
    /// Always the likeliest token.
    pub const GREEDY: Self = Self::at(0.0);

    /// Draws from all tokens at this temperature.
    pub const fn at(temperature: f64) -> Self {
        let repetition = Repetition::Allowed;
        Self { temperature, top_k: None, top_p: None, min_p: None, repetition }
    }

    /// Names the first bound that is not kept.
    pub fn validate(&self) -> Result<(), SamplingError> {
        let Self { temperature, top_k, top_p, min_p, repetition } = *self;
        if !(temperature.is_finite() && temperature >= 0.0) {
            return Err(SamplingError::Temperature { temperature });
        }
        if top_k == Some(0) {
            return Err(SamplingError::TopK);
        }
        if let Some(top_p) = top_p.filter(|it| !(*it > 0.0 && *it <= 1.0)) {
            return Err(SamplingError::TopP { top_p });
        }
        if let Some(min_p) = min_p.filter(|it| !(0.0..=1.0).contains(it)) {
            return Err(SamplingError::MinP { min_p });
        }
        repetition.validate()
    }
}

/// Draws the index of one token that follows none.
///
/// A token is forbidden by leaving it out of the slice, or by a logit of −∞. Among equal logits
/// the first counts as the likeliest.
///
/// # Panics
/// If no logit is finite.
pub fn sample(logits: &[f32], sampling: &Sampling, rng: &mut Generator) -> usize {
    sample_after(logits, sampling, &[], rng)
}

/// As [`sample`], of a token that follows `recent` ones, the oldest first: see [`Repetition`].
///
/// # Panics
/// If no logit is finite.
pub fn sample_after(
    logits: &[f32],
    sampling: &Sampling,
    recent: &[u32],
    rng: &mut Generator,
) -> usize {
    let repetition = sampling.repetition;
    let token = match repetition {
        Repetition::Penalty { .. } => choose(&repetition.penalised(logits, recent), sampling, rng),
        Repetition::Allowed | Repetition::Redraw { .. } => choose(logits, sampling, rng),
    };
    match repetition.is_overdone(token, recent) {
        true => choose(logits, &Sampling::at(sampling.temperature.max(1.0)), rng),
        false => token,
    }
}

fn choose(logits: &[f32], sampling: &Sampling, rng: &mut Generator) -> usize {
    let likeliest = argmax(logits);
    assert!(logits[likeliest].is_finite(), "no token can be drawn: no finite logit");
    if sampling.temperature == 0.0 || sampling.top_k == Some(1) {
        return likeliest;
    }
    let peak = f64::from(logits[likeliest]);
    let weight = |idx: usize| ((f64::from(logits[idx]) - peak) / sampling.temperature).exp();
    let mut kept: Vec<(usize, f64)> = (0..logits.len()).map(|idx| (idx, weight(idx))).collect();
    narrow(&mut kept, sampling);
    draw(&kept, rng)
}

fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (idx, logit) in logits.iter().enumerate() {
        if *logit > logits[best] || logits[best].is_nan() {
            best = idx;
        }
    }
    best
}

/// Keeps the tokens that the sampling allows; weights are beside that of the likeliest, which is 1.
fn narrow(kept: &mut Vec<(usize, f64)>, sampling: &Sampling) {
    if sampling.top_k.is_some() || sampling.top_p.is_some() {
        keep_likeliest(kept, sampling);
    }
    if let Some(min_p) = sampling.min_p {
        kept.retain(|(_, weight)| *weight >= min_p);
    }
}

/// Keeps what `top_k` and `top_p` allow, the likeliest first.
fn keep_likeliest(kept: &mut Vec<(usize, f64)>, sampling: &Sampling) {
    kept.sort_by(|a, b| b.1.total_cmp(&a.1));
    kept.truncate(sampling.top_k.unwrap_or(usize::MAX));
    if let Some(top_p) = sampling.top_p {
        let enough = top_p * total(kept);
        let mut mass = 0.0;
        let reaches = |&(_, weight): &(usize, f64)| {
            mass += weight;
            mass >= enough
        };
        let n_kept = kept.iter().position(reaches).map_or(kept.len(), |idx| idx + 1);
        kept.truncate(n_kept);
    }
}

fn draw(kept: &[(usize, f64)], rng: &mut Generator) -> usize {
    let mut left = rng.random::<f64>() * total(kept);
    for &(idx, weight) in kept {
        if left < weight {
            return idx;
        }
        left -= weight;
    }
    // Rounding may leave a crumb: it belongs to the last token that can be drawn at all.
    kept.iter().rev().find(|(_, weight)| *weight > 0.0).map_or(0, |&(idx, _)| idx)
}

fn total(kept: &[(usize, f64)]) -> f64 {
    kept.iter().map(|(_, weight)| weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;
    use proptest::prelude::*;

    fn drawn(logits: &[f32], sampling: &Sampling, seed: u64) -> usize {
        sample(logits, sampling, &mut generator(seed, "test", 0))
    }

    fn some_logits() -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(-8.0f32..8.0, 1..40)
    }

    fn probabilities(logits: &[f32]) -> Vec<f64> {
        let weights: Vec<f64> = logits.iter().map(|it| f64::from(*it).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|it| it / total).collect()
    }

    proptest! {
        #[test]
        fn one_token_is_the_likeliest(logits in some_logits(), seed: u64) {
            let only = Sampling { top_k: Some(1), ..Sampling::at(1.0) };
            let greedy = drawn(&logits, &Sampling::GREEDY, seed);
            prop_assert!(logits.iter().all(|it| *it <= logits[greedy]));
            prop_assert_eq!(drawn(&logits, &only, seed), greedy);
        }

        #[test]
        fn the_same_seed_draws_the_same(logits in some_logits(), seed: u64) {
            let (top_k, top_p, min_p) = (Some(9), Some(0.9), Some(0.02));
            let sampling = Sampling { top_k, top_p, min_p, ..Sampling::at(0.7) };
            prop_assert_eq!(drawn(&logits, &sampling, seed), drawn(&logits, &sampling, seed));
        }

        #[test]
        fn top_k_draws_one_of_the_k_likeliest(logits in some_logits(), k in 1..9usize, seed: u64) {
            let sampling = Sampling { top_k: Some(k), ..Sampling::at(2.0) };
            let choice = logits[drawn(&logits, &sampling, seed)];
            prop_assert!(logits.iter().filter(|it| **it > choice).count() < k);
        }

        #[test]
        fn top_p_draws_within_its_mass(logits in some_logits(), top_p in 0.01..1.0f64, seed: u64) {
            let sampling = Sampling { top_p: Some(top_p), ..Sampling::at(1.0) };
            let choice = drawn(&logits, &sampling, seed);
            let likelier = probabilities(&logits)
                .into_iter()
                .zip(&logits)
                .filter(|(_, it)| **it > logits[choice])
                .map(|(probability, _)| probability)
                .sum::<f64>();
            prop_assert!(likelier < top_p + 1e-9);
        }

        #[test]
        fn min_p_draws_what_is_likely_enough(
            logits in some_logits(), min_p in 0.0..=1.0f64, temperature in 0.2..3.0f64, seed: u64,
        ) {
            let sampling = Sampling { min_p: Some(min_p), ..Sampling::at(temperature) };
            let choice = logits[drawn(&logits, &sampling, seed)];
            let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let ratio = (f64::from(choice - peak) / temperature).exp();
            prop_assert!(ratio > min_p - 1e-6, "{ratio} for {min_p}");
        }

        #[test]
        fn no_bound_is_no_bound(logits in some_logits(), seed: u64) {
            // All of them, but for `top_k` and `top_p`, which also sort.
            let loose = Sampling { min_p: Some(0.0), ..Sampling::at(0.7) };
            let plain = drawn(&logits, &Sampling::at(0.7), seed);
            prop_assert_eq!(drawn(&logits, &loose, seed), plain);
        }

        #[test]
        fn a_forbidden_token_is_never_drawn(mut logits in some_logits(), seed: u64) {
            logits.push(0.0);
            logits[0] = f32::NEG_INFINITY;
            prop_assert_ne!(drawn(&logits, &Sampling::at(3.0), seed), 0);
        }
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        const DRAWS: usize = 20_000;
        let logits = [1.0, -1.0, 0.5, 3.0, f32::NEG_INFINITY, 2.0];
        let halved = logits.map(|it| it / 2.0);
        let mut counts = [0; 6];
        let mut rng = generator(1, "test", 0);
        for _ in 0..DRAWS {
            counts[sample(&logits, &Sampling::at(2.0), &mut rng)] += 1;
        }
        for (count, expected) in counts.iter().zip(probabilities(&halved)) {
            let frequency = f64::from(*count) / DRAWS as f64;
            // Four standard deviations.
            let allowed = 4.0 * (expected * (1.0 - expected) / DRAWS as f64).sqrt();
            assert!((frequency - expected).abs() <= allowed, "{frequency} for {expected}");
        }
    }

    #[track_caller]
    fn check_refused(sampling: Sampling, message: &str) {
        assert_eq!(sampling.validate().unwrap_err().to_string(), message);
    }

    #[test]
    fn messages_state_the_bound_and_the_value() {
        check_refused(Sampling::at(-0.5), "temperature must be finite and at least 0, found -0.5");
        check_refused(
            Sampling::at(f64::NAN),
            "temperature must be finite and at least 0, found NaN",
        );
        let none = Sampling { top_k: Some(0), ..Sampling::at(1.0) };
        check_refused(none, "top_k must be at least 1, found 0");
        let all = Sampling { top_p: Some(1.5), ..Sampling::at(1.0) };
        check_refused(all, "top_p must be above 0 and at most 1, found 1.5");
        let rare = Sampling { min_p: Some(-0.1), ..Sampling::at(1.0) };
        check_refused(rare, "min_p must be from 0 to 1, found -0.1");
        let widest = Sampling { top_k: Some(1), top_p: Some(1.0), ..Sampling::GREEDY };
        assert!(Sampling { min_p: Some(1.0), ..widest }.validate().is_ok());
    }
}
