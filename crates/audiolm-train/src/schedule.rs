//! How fast to learn at each step.

use serde::{Deserialize, Serialize};

/// Linear warm-up to a peak, then half a cosine down to a share of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Steps of the whole run.
    pub steps: u64,
    /// Steps until the peak.
    pub warmup_steps: u64,
    /// Learning rate at the peak.
    pub peak_learning_rate: f64,
    /// Share of the peak that is left at the end.
    pub final_share: f64,
}

impl Schedule {
    /// The learning rate of `step`, the first being 0.
    pub fn learning_rate(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return self.peak_learning_rate * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let span = self.steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let progress = ((step - self.warmup_steps) as f64 / span).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        self.peak_learning_rate * (self.final_share + (1.0 - self.final_share) * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_to_the_peak_and_falls_to_the_final_share() {
        let schedule =
            Schedule { steps: 100, warmup_steps: 10, peak_learning_rate: 1.0, final_share: 0.1 };
        assert_eq!(schedule.learning_rate(0), 0.1);
        assert_eq!(schedule.learning_rate(9), 1.0);
        assert!((schedule.learning_rate(10) - 1.0).abs() < 1e-12);
        assert!((schedule.learning_rate(100) - 0.1).abs() < 1e-12);
        assert!((11..100).all(|it| schedule.learning_rate(it) < schedule.learning_rate(it - 1)));
    }
}
