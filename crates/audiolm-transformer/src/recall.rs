//! Codes recalled from the prompt: a continuous cache (Grave, Joulin and Usunier 2017, "Improving
//! neural language models with a continuous cache").
//!
//! A model that has heard little speech keeps a voice for a moment only. But the prompt holds that
//! voice: where the model was in a state like the present one, the codes that came next are good
//! candidates. They share a part of the probability,
//!
//! ```text
//! p(code) = (1 − share) · p_model(code) + share · Σ_i [code_i = code] · softmax_i(sharpness · h·h_i)
//! ```
//!
//! with the states `h_i` before each code of the same quantizer in the prompt. Nothing is trained
//! for it. What is drawn is never added to it, nor should a caller pass drawn codes for it when
//! their window slides: it would feed on itself.

use serde::{Deserialize, Serialize};

use crate::error::SamplingError;
use crate::sampler::Sampling;

/// How far codes are recalled from the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Share of the probability, from 0 (the model alone) to 1 (the prompt's codes alone).
    pub share: f64,
    /// How much more a similar state counts than another, at least 0; 0 counts all of them alike.
    pub sharpness: f64,
}

impl Recall {
    /// The model alone.
    pub const NONE: Self = Self { share: 0.0, sharpness: 0.0 };

    /// Names the first bound that is not kept.
    pub fn validate(&self) -> Result<(), SamplingError> {
        let Self { share, sharpness } = *self;
        if !(0.0..=1.0).contains(&share) {
            return Err(SamplingError::RecallShare { share });
        }
        if !(sharpness.is_finite() && sharpness >= 0.0) {
            return Err(SamplingError::RecallSharpness { sharpness });
        }
        Ok(())
    }
}

/// States and the codes that came after them, for each quantizer.
#[derive(Debug)]
pub(crate) struct Memory {
    recall: Recall,
    entries: Vec<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    state: Vec<f32>,
    code: u32,
}

impl Memory {
    /// Of row-major `codes` of `n_quantizers`, and the state before each of them.
    pub(crate) fn new<'a>(
        recall: Recall,
        n_quantizers: usize,
        codes: impl Iterator<Item = (u32, &'a [f32])>,
    ) -> Self {
        let mut entries: Vec<Vec<Entry>> = (0..n_quantizers).map(|_| Vec::new()).collect();
        for (at, (code, state)) in codes.enumerate() {
            entries[at % n_quantizers].push(Entry { state: state.to_vec(), code });
        }
        Self { recall, entries }
    }

    /// The logits of the mixture for the quantizer at `idx`, to be sampled with `sampling`.
    ///
    /// The model's own share is already as that temperature makes it, so that a low one does not
    /// make rare codes of the prompt rarer still. The state is asked for only where something is
    /// recalled: on a GPU, to read it is to wait for it.
    pub(crate) fn mixed(
        &self,
        logits: Vec<f32>,
        state: impl FnOnce() -> Vec<f32>,
        idx: usize,
        sampling: &Sampling,
    ) -> Vec<f32> {
        let (entries, share) = (&self.entries[idx], self.recall.share);
        if entries.is_empty() || share == 0.0 {
            return logits;
        }
        let state = state();
        let temperature = if sampling.temperature > 0.0 { sampling.temperature } else { 1.0 };
        let cooled: Vec<f64> = logits.iter().map(|it| f64::from(*it) / temperature).collect();
        let mut mixture: Vec<f64> = softmax(&cooled).iter().map(|it| (1.0 - share) * it).collect();
        let alike = |entry: &Entry| self.recall.sharpness * product(&entry.state, &state);
        let weights = softmax(&entries.iter().map(alike).collect::<Vec<_>>());
        for (entry, weight) in entries.iter().zip(weights) {
            mixture[entry.code as usize] += share * weight;
        }
        mixture.into_iter().map(|it| (temperature * it.ln()) as f32).collect()
    }
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let peak = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = values.iter().map(|it| (it - peak).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|it| it / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [[f32; 2]; 3] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]];

    /// What is drawn after the state `[1, 0]`, of two quantizers whose codes are known thus.
    #[track_caller]
    fn check(recall: Recall, sampling: Sampling, codes: [u32; 3], expected: [f64; 3]) {
        let both = codes
            .iter()
            .zip(&STATES)
            .flat_map(|(code, state)| [(2 - *code, &state[..]), (*code, &state[..])]);
        let memory = Memory::new(recall, 2, both);
        let logits = [0.5f64, 0.25, 0.25].map(|it| it.ln() as f32).to_vec();
        let mixed = memory.mixed(logits, || vec![1.0, 0.0], 1, &sampling);
        let cooled: Vec<f64> =
            mixed.iter().map(|it| f64::from(*it) / sampling.temperature.max(1e-9)).collect();
        for (found, expected) in softmax(&cooled).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn nothing_is_recalled_without_a_share() {
        check(Recall::NONE, Sampling::at(1.0), [1, 1, 1], [0.5, 0.25, 0.25]);
    }

    #[test]
    fn blunt_recall_counts_codes() {
        let recall = Recall { share: 0.75, sharpness: 0.0 };
        check(recall, Sampling::at(1.0), [1, 1, 2], [0.125, 0.5625, 0.3125]);
    }

    #[test]
    fn sharp_recall_takes_the_code_of_the_state_most_like_this() {
        let recall = Recall { share: 1.0, sharpness: 100.0 };
        check(recall, Sampling::at(1.0), [2, 1, 1], [0.0, 0.0, 1.0]);
    }

    #[test]
    fn the_temperature_is_that_of_the_model_alone() {
        let recall = Recall { share: 0.5, sharpness: 0.0 };
        // Squared and normalised, the model's probabilities are 2/3, 1/6, 1/6.
        let expected = [0.5 * 2.0 / 3.0 + 0.5, 0.5 / 6.0, 0.5 / 6.0];
        check(recall, Sampling::at(0.5), [0, 0, 0], expected);
    }

    #[test]
    fn no_prompt_leaves_the_model_as_it_is() {
        let memory = Memory::new(Recall { share: 1.0, sharpness: 1.0 }, 2, std::iter::empty());
        let logits = vec![0.1, 0.2];
        let unread = || -> Vec<f32> { panic!("nothing is recalled, so no state is needed") };
        assert_eq!(memory.mixed(logits.clone(), unread, 0, &Sampling::at(1.0)), logits);
    }

    #[test]
    fn messages_state_the_bound_and_the_value() {
        let message = |it: Recall| it.validate().unwrap_err().to_string();
        let share = message(Recall { share: 1.5, sharpness: 0.0 });
        assert_eq!(share, "share of recall must be from 0 to 1, found 1.5");
        let sharpness = message(Recall { share: 1.0, sharpness: f64::NAN });
        assert_eq!(sharpness, "sharpness of recall must be finite and at least 0, found NaN");
        assert!(Recall::NONE.validate().is_ok());
    }
}
