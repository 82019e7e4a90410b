//! What notices that training has gone wrong, and how it is taken up again.

use serde::{Deserialize, Serialize};

use crate::Measures;

/// Share of a running level that is kept at each step.
const KEPT: f32 = 0.98;
/// Share of its running level below which the use of codebooks has collapsed.
const LEAST_USE: f32 = 0.3;
/// The adversarial loss of a codec whose reconstructions are all told from recordings is at least
/// two: the hinge of a logit below minus one.
const SATURATED: f64 = 1.9;

/// When to go back to the last checkpoint, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardSettings {
    /// Most returns to a checkpoint in a run; with zero, a loss that is no number ends it.
    pub max_rollbacks: u32,
    /// Share of the learning rates that is left after each return.
    pub rate_share: f64,
    /// How many times its running level a reconstruction loss may reach.
    pub highest_rise: f64,
    /// Steps in a row that a loss may be above that, or codebooks idle.
    pub patience: u32,
    /// The discriminators' loss below which they have won.
    pub won_below: f64,
    /// Steps in a row that they may have won.
    pub won_patience: u32,
    /// Steps that they then wait without learning.
    pub pause_steps: u64,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self {
            max_rollbacks: 8,
            rate_share: 0.7,
            highest_rise: 3.0,
            patience: 20,
            won_below: 0.05,
            won_patience: 300,
            pause_steps: 300,
        }
    }
}

/// What has gone wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Trouble {
    /// A measure is no longer a number.
    #[error("{measure} is {value}")]
    NotFinite {
        /// The measure.
        measure: String,
        /// Its value.
        value: f64,
    },
    /// A weight is no longer a number.
    #[error("a weight is no longer a number")]
    WeightNotFinite,
    /// The reconstruction has fallen apart.
    #[error("{measure} is {value:.3}, for long far above its level of {level:.3}")]
    LossRisen {
        /// The measure.
        measure: &'static str,
        /// Its value.
        value: f64,
        /// Its running level.
        level: f64,
    },
    /// Codes no longer use their codebooks.
    #[error("{value:.3} of the entries of the codebooks are in use, usually {level:.3}")]
    CodebooksIdle {
        /// The share in use.
        value: f64,
        /// Its running level.
        level: f64,
    },
    /// Discriminators that tell everything apart teach nothing.
    #[error("the discriminators have won: their loss is {loss:.4}")]
    DiscriminatorsWon {
        /// Their loss.
        loss: f64,
    },
}

/// What the guard remembers; a part of every checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guard {
    /// Returns to a checkpoint so far.
    pub(crate) rollbacks: u32,
    /// The first step at which discriminators that had won learn again.
    pub(crate) paused_until: u64,
    loss: Level,
    usage: Level,
    risen: u32,
    idle: u32,
    won: u32,
}

/// A running mean of what is usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Level {
    sum: f32,
    weight: f32,
}

impl Guard {
    /// Looks at the measures of a step: `mel`, and where there are any, `usage`, `discriminator` and
    /// `adversarial`.
    pub(crate) fn look(
        &mut self,
        settings: &GuardSettings,
        measures: &Measures,
    ) -> Option<Trouble> {
        if let Some((name, value)) = measures.iter().find(|it| !it.1.is_finite()) {
            return Some(Trouble::NotFinite { measure: name.to_owned(), value });
        }
        self.look_at_loss(settings, measures.get("mel"))
            .or_else(|| self.look_at_usage(settings, measures.get("usage")))
            .or_else(|| {
                let losses = measures.get("discriminator").zip(measures.get("adversarial"));
                self.look_at_discriminators(settings, losses)
            })
    }

    /// Begins another attempt after `trouble` at a step.
    pub(crate) fn retry(&mut self, settings: &GuardSettings, trouble: &Trouble, step: u64) {
        self.rollbacks += 1;
        (self.risen, self.idle, self.won) = (0, 0, 0);
        if matches!(trouble, Trouble::DiscriminatorsWon { .. }) {
            self.paused_until = step + settings.pause_steps;
        }
    }

    /// Share of the learning rates that is left.
    pub(crate) fn rate_share(&self, settings: &GuardSettings) -> f64 {
        settings.rate_share.powi(self.rollbacks as i32)
    }

    fn look_at_loss(&mut self, settings: &GuardSettings, loss: Option<f64>) -> Option<Trouble> {
        let value = loss?;
        let level = self.loss.value().unwrap_or(value as f32);
        let is_risen = value > settings.highest_rise * f64::from(level);
        self.risen = if is_risen { self.risen + 1 } else { 0 };
        if !is_risen {
            self.loss.take_in(value as f32);
        }
        (self.risen > settings.patience).then_some(Trouble::LossRisen {
            measure: "mel",
            value,
            level: level.into(),
        })
    }

    fn look_at_usage(&mut self, settings: &GuardSettings, usage: Option<f64>) -> Option<Trouble> {
        let value = usage?;
        let level = self.usage.value().unwrap_or(value as f32);
        let is_idle = value < f64::from(LEAST_USE * level);
        self.idle = if is_idle { self.idle + 1 } else { 0 };
        if !is_idle {
            self.usage.take_in(value as f32);
        }
        (self.idle > settings.patience)
            .then_some(Trouble::CodebooksIdle { value, level: level.into() })
    }

    fn look_at_discriminators(
        &mut self,
        settings: &GuardSettings,
        losses: Option<(f64, f64)>,
    ) -> Option<Trouble> {
        let (loss, adversarial) = losses?;
        let has_won = loss < settings.won_below && adversarial > SATURATED;
        self.won = if has_won { self.won + 1 } else { 0 };
        (self.won > settings.won_patience).then_some(Trouble::DiscriminatorsWon { loss })
    }
}

impl Level {
    fn value(&self) -> Option<f32> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    fn take_in(&mut self, value: f32) {
        self.sum = KEPT * self.sum + (1.0 - KEPT) * value;
        self.weight = KEPT * self.weight + (1.0 - KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each step of a series of measures is taken for trouble.
    #[track_caller]
    fn check(series: &[(usize, Measures)], expected: Option<Trouble>) {
        let settings = GuardSettings { patience: 5, won_patience: 10, ..GuardSettings::default() };
        let mut guard = Guard::default();
        let steps = series.iter().flat_map(|(n, measures)| std::iter::repeat_n(measures, *n));
        let found = steps.map(|it| guard.look(&settings, it)).find(Option::is_some).flatten();
        match (&found, &expected) {
            (Some(found), Some(expected)) => assert_eq!(
                std::mem::discriminant(found),
                std::mem::discriminant(expected),
                "{found:?}"
            ),
            _ => assert_eq!(found, expected),
        }
    }

    fn mel(value: f64) -> Measures {
        Measures::default().with("mel", value)
    }

    fn verdict(discriminator: f64, adversarial: f64) -> Measures {
        mel(1.0).with("discriminator", discriminator).with("adversarial", adversarial)
    }

    #[test]
    fn what_is_usual_is_no_trouble() {
        check(&[(100, mel(2.0)), (100, mel(1.0)), (5, mel(9.0)), (100, mel(1.5))], None);
        check(&[(200, verdict(1.9, 1.0)), (9, verdict(0.0, 2.5)), (200, verdict(0.5, 2.0))], None);
        check(&[(200, verdict(0.0, 0.0))], None);
    }
    #[test]
    fn a_number_that_is_none_is_noticed_at_once() {
        let value = f64::NAN;
        let trouble = Trouble::NotFinite { measure: "mel".into(), value };
        check(&[(10, mel(1.0)), (1, mel(value))], Some(trouble.clone()));
        check(&[(10, mel(1.0)), (1, mel(1.0).with("features", f64::INFINITY))], Some(trouble));
    }
    #[test]
    fn a_loss_that_stays_high_is_noticed() {
        let trouble = Trouble::LossRisen { measure: "mel", value: 9.0, level: 1.0 };
        check(&[(100, mel(1.0)), (6, mel(9.0))], Some(trouble));
    }
    #[test]
    fn idle_codebooks_are_noticed() {
        let used = |it| mel(1.0).with("usage", it);
        let trouble = Trouble::CodebooksIdle { value: 0.1, level: 0.9 };
        check(&[(100, used(0.9)), (6, used(0.1))], Some(trouble));
    }
    #[test]
    fn discriminators_that_have_won_are_noticed() {
        let trouble = Trouble::DiscriminatorsWon { loss: 0.0 };
        check(&[(100, verdict(1.0, 1.0)), (11, verdict(0.01, 2.5))], Some(trouble));
    }
}
