//! What is done about tokens that come again and again.
//!
//! A language model that draws cautiously may get caught in a loop: a hum, a syllable over and over.
//! Two remedies of the field, both over a window of recent tokens of the same kind: ids for ids, and
//! for a code those of its own quantizer.
//!
//! - [`Repetition::Penalty`] makes what came lately less likely (Keskar et al. 2019, "CTRL", section
//!   4.1). It fits semantic ids, whose runs are collapsed: no id is its own neighbour, and one that
//!   comes again soon is part of a loop more often than not. Codes it does not fit: the code of a
//!   steady vowel or of silence rightly comes again in frame after frame.
//! - [`Repetition::Redraw`] leaves probabilities alone, and draws once more, from all that the model
//!   thinks possible, where a token has already had its share (Chen et al. 2024, "VALL-E 2",
//!   arXiv 2406.05370: repetition aware sampling). It fits codes: one that the model is sure of stays
//!   as likely as it is, and only a loop that caution made is left.

use serde::{Deserialize, Serialize};

use crate::error::SamplingError;

/// What is done about tokens that come again and again.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Repetition {
    /// Nothing.
    #[default]
    Allowed,
    /// Whatever is among the last `window` tokens is `divisor` times less likely, against all that
    /// is not, than the model makes it; before the temperature.
    ///
    /// CTRL divides logits, so that its penalty depends on where their zero happens to lie. This one
    /// divides probabilities: it takes `ln(divisor)` from logits, whatever their zero.
    Penalty {
        /// At least 1, which changes nothing.
        divisor: f64,
        /// How many tokens back; at least 1.
        window: usize,
    },
    /// A token that makes up more than `share` of the last `window` ones is drawn anew: from all
    /// tokens, at a temperature of at least 1.
    Redraw {
        /// From 0 to 1.
        share: f64,
        /// How many tokens back; at least 1.
        window: usize,
    },
}

impl Repetition {
    /// Names the first bound that is not kept.
    pub fn validate(&self) -> Result<(), SamplingError> {
        match *self {
            Self::Penalty { window: 0, .. } | Self::Redraw { window: 0, .. } => {
                Err(SamplingError::RepetitionWindow)
            }
            Self::Penalty { divisor, .. } if !(divisor.is_finite() && divisor >= 1.0) => {
                Err(SamplingError::RepetitionDivisor { divisor })
            }
            Self::Redraw { share, .. } if !(0.0..=1.0).contains(&share) => {
                Err(SamplingError::RepetitionShare { share })
            }
            _ => Ok(()),
        }
    }

    /// The logits after what is taken from tokens that are among the `recent` ones, oldest first.
    pub(crate) fn penalised(self, logits: &[f32], recent: &[u32]) -> Vec<f32> {
        let mut logits = logits.to_vec();
        if let Self::Penalty { divisor, window } = self {
            let recent = last(recent, window);
            for (token, logit) in logits.iter_mut().enumerate() {
                if recent.contains(&(token as u32)) {
                    *logit -= divisor.ln() as f32;
                }
            }
        }
        logits
    }

    /// Whether the token already makes up more of the `recent` ones, oldest first, than it may.
    pub(crate) fn is_overdone(self, token: usize, recent: &[u32]) -> bool {
        let Self::Redraw { share, window } = self else { return false };
        let times = last(recent, window).iter().filter(|it| **it as usize == token).count();
        times as f64 > share * window as f64
    }
}

/// The latest tokens of one kind, as many as a repetition is looked for in.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    tokens: Vec<u32>,
    window: usize,
}

impl Recent {
    /// The last of some tokens, oldest first.
    pub(crate) fn of(tokens: impl IntoIterator<Item = u32>, repetition: Repetition) -> Self {
        let window = match repetition {
            Repetition::Allowed => 0,
            Repetition::Penalty { window, .. } | Repetition::Redraw { window, .. } => window,
        };
        let tokens: Vec<u32> = tokens.into_iter().collect();
        Self { tokens: last(&tokens, window).to_vec(), window }
    }

    /// Adds one, and forgets the oldest where there are too many.
    pub(crate) fn push(&mut self, token: u32) {
        self.tokens.push(token);
        if self.tokens.len() > self.window {
            self.tokens.remove(0);
        }
    }

    /// The oldest first.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }
}

fn last(tokens: &[u32], n: usize) -> &[u32] {
    &tokens[tokens.len().saturating_sub(n)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::{Sampling, sample, sample_after};
    use audiolm_nn::{Generator, generator};
    use proptest::prelude::*;

    fn rng(seed: u64) -> Generator {
        generator(seed, "test", 0)
    }

    fn with(repetition: Repetition) -> Sampling {
        Sampling { repetition, ..Sampling::at(0.7) }
    }

    fn logits_and_recent() -> impl Strategy<Value = (Vec<f32>, Vec<u32>)> {
        (1..20usize).prop_flat_map(|n| {
            let recent = proptest::collection::vec(0..n as u32, 0..30);
            (proptest::collection::vec(-8.0f32..8.0, n), recent)
        })
    }

    /// Control that lets all tokens come as often as they like.
    fn idle() -> impl Strategy<Value = Repetition> {
        let window = 1..40usize;
        prop_oneof![
            Just(Repetition::Allowed),
            window.clone().prop_map(|window| Repetition::Penalty { divisor: 1.0, window }),
            window.prop_map(|window| Repetition::Redraw { share: 1.0, window }),
        ]
    }

    proptest! {
        #[test]
        fn control_that_is_idle_changes_nothing(
            (logits, recent) in logits_and_recent(), repetition in idle(), seed: u64,
        ) {
            let plain = sample(&logits, &with(Repetition::Allowed), &mut rng(seed));
            let found = sample_after(&logits, &with(repetition), &recent, &mut rng(seed));
            prop_assert_eq!(found, plain);
        }

        #[test]
        fn what_did_not_come_is_not_held_back(
            (logits, recent) in logits_and_recent(), share in 0.0..1.0f64, seed: u64,
        ) {
            let redrawn = with(Repetition::Redraw { share, window: 10 });
            let plain = sample(&logits, &with(Repetition::Allowed), &mut rng(seed));
            let found = sample_after(&logits, &redrawn, &recent, &mut rng(seed));
            prop_assert!(found == plain || recent.contains(&(plain as u32)));
        }

        #[test]
        fn a_penalty_divides_the_odds_against_what_did_not_come(
            (logits, recent) in logits_and_recent(), divisor in 1.0..20.0f64, window in 1..40usize,
        ) {
            let penalised = Repetition::Penalty { divisor, window }.penalised(&logits, &recent);
            let window = last(&recent, window);
            for (token, (before, after)) in logits.iter().zip(&penalised).enumerate() {
                let odds = f64::from(before - after).exp();
                let expected = if window.contains(&(token as u32)) { divisor } else { 1.0 };
                prop_assert!((odds / expected - 1.0).abs() < 1e-4, "{odds} for {expected}");
            }
        }

        #[test]
        fn only_the_window_counts(
            (logits, recent) in logits_and_recent(), window in 1..9usize, seed: u64,
        ) {
            for repetition in [
                Repetition::Penalty { divisor: 5.0, window },
                Repetition::Redraw { share: 0.2, window },
            ] {
                let draw = |recent: &[u32]| {
                    sample_after(&logits, &with(repetition), recent, &mut rng(seed))
                };
                prop_assert_eq!(draw(&recent), draw(last(&recent, window)));
            }
        }

        #[test]
        fn recent_tokens_are_the_last_of_the_window(
            before in proptest::collection::vec(0..9u32, 0..20),
            after in proptest::collection::vec(0..9u32, 0..20),
            window in 1..9usize,
        ) {
            let repetition = Repetition::Penalty { divisor: 2.0, window };
            let mut recent = Recent::of(before.clone(), repetition);
            after.iter().for_each(|it| recent.push(*it));
            let all = [before, after].concat();
            prop_assert_eq!(recent.tokens(), last(&all, window));
        }

        #[test]
        fn the_zero_of_logits_does_not_matter(
            (logits, recent) in logits_and_recent(), seed: u64,
        ) {
            // Whole numbers, so that the shift is exact.
            let logits: Vec<f32> = logits.iter().map(|it| it.round()).collect();
            let shifted: Vec<f32> = logits.iter().map(|it| it - 64.0).collect();
            let sampling = Sampling {
                repetition: Repetition::Penalty { divisor: 2.0, window: 8 }, ..Sampling::GREEDY
            };
            let draw = |logits: &[f32]| sample_after(logits, &sampling, &recent, &mut rng(seed));
            prop_assert_eq!(draw(&logits), draw(&shifted));
        }
    }

    #[test]
    fn a_token_that_had_its_share_is_drawn_anew() {
        let sampling = Sampling {
            repetition: Repetition::Redraw { share: 0.5, window: 4 },
            ..Sampling::GREEDY
        };
        // The likeliest is 1; from all, each of the three comes in a hundred draws.
        let drawn = |recent: &[u32]| -> std::collections::BTreeSet<usize> {
            let draw = |seed| sample_after(&[0.0, 0.5, 0.0], &sampling, recent, &mut rng(seed));
            (0..100).map(draw).collect()
        };
        assert_eq!(drawn(&[1, 0, 1, 2]), [1].into());
        assert_eq!(drawn(&[1, 0, 1, 1]), [0, 1, 2].into());
        // A window that is not full yet has no more room.
        assert_eq!(drawn(&[1, 1]), [1].into());
        assert_eq!(drawn(&[1, 1, 1]), [0, 1, 2].into());
    }

    #[test]
    fn a_forbidden_token_is_not_redrawn_either() {
        let repetition = Repetition::Redraw { share: 0.1, window: 10 };
        let sampling = Sampling { repetition, ..Sampling::at(1.0) };
        let logits = [f32::NEG_INFINITY, 0.0, 0.0];
        let draw = |seed| sample_after(&logits, &sampling, &[1, 1, 2, 2], &mut rng(seed));
        assert!((0..200).all(|seed| draw(seed) != 0));
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        for repetition in [
            Repetition::Allowed,
            Repetition::Penalty { divisor: 1.5, window: 20 },
            Repetition::Redraw { share: 0.1, window: 10 },
        ] {
            let text = serde_json::to_string(&with(repetition)).unwrap();
            assert_eq!(serde_json::from_str::<Sampling>(&text).unwrap(), with(repetition));
        }
        // As they were before there was any control.
        let text = r#"{"temperature":0.7,"top_k":null,"top_p":null}"#;
        assert_eq!(serde_json::from_str::<Sampling>(text).unwrap(), Sampling::at(0.7));
    }

    #[track_caller]
    fn check_refused(repetition: Repetition, message: &str) {
        assert_eq!(with(repetition).validate().unwrap_err().to_string(), message);
    }

    #[test]
    fn messages_state_the_bound_and_the_value() {
        let window = "window of repetition must be at least 1, found 0";
        check_refused(Repetition::Penalty { divisor: 2.0, window: 0 }, window);
        check_refused(Repetition::Redraw { share: 0.5, window: 0 }, window);
        let divisor = "divisor of repetition must be finite and at least 1, found 0.5";
        check_refused(Repetition::Penalty { divisor: 0.5, window: 9 }, divisor);
        let share = "share of repetition must be from 0 to 1, found NaN";
        check_refused(Repetition::Redraw { share: f64::NAN, window: 9 }, share);
    }
}
