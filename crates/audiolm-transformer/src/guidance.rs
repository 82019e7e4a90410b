//! Classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598), in logits:
//!
//! ```text
//! logits = null + scale · (conditioned − null)
//! ```
//!
//! A stage that has now and then learnt without its condition can say what it would draw with it and
//! what without, `null`; guidance goes on from the one to the other and beyond. Both are read side by
//! side, as two rows of one batch. Where logits stand for probabilities only up to a constant, as
//! here, it makes no difference whether they or the log-probabilities are combined.

use serde::{Deserialize, Serialize};

use crate::error::SamplingError;

/// How much the condition counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guidance {
    /// 1 draws from the conditioned model as it is, 0 as if there were no condition; above 1 the
    /// condition counts for more than the model has learnt.
    pub scale: f64,
}

impl Guidance {
    /// The conditioned model as it is: nothing else is read.
    pub const NONE: Self = Self { scale: 1.0 };

    /// Names the first bound that is not kept.
    pub fn validate(&self) -> Result<(), SamplingError> {
        let Self { scale } = *self;
        match scale.is_finite() && scale >= 0.0 {
            true => Ok(()),
            false => Err(SamplingError::GuidanceScale { scale }),
        }
    }

    /// Whether the condition counts as it was learnt, so that no `null` is needed.
    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The guided logits.
    ///
    /// # Panics
    /// If there are more of the one kind than of the other.
    pub(crate) fn guided(self, conditioned: &[f32], null: &[f32]) -> Vec<f32> {
        assert_eq!(conditioned.len(), null.len(), "logits with and without the condition");
        let scale = self.scale as f32;
        conditioned
            .iter()
            .zip(null)
            .map(|(with, without)| without + scale * (with - without))
            .collect()
    }
}

impl Default for Guidance {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn two_logits() -> impl Strategy<Value = Vec<(f32, f32)>> {
        proptest::collection::vec((-8.0f32..8.0, -8.0f32..8.0), 1..40)
    }

    proptest! {
        #[test]
        fn guidance_is_a_straight_line(pairs in two_logits(), scale in 0.0..8.0f64) {
            let (with, without): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let guided = Guidance { scale }.guided(&with, &without);
            for ((with, without), guided) in with.iter().zip(&without).zip(guided) {
                let expected = (1.0 - scale) * f64::from(*without) + scale * f64::from(*with);
                prop_assert!((f64::from(guided) - expected).abs() < 1e-4);
            }
        }

        #[test]
        fn no_scale_is_no_condition(pairs in two_logits()) {
            let (with, without): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            prop_assert_eq!(Guidance { scale: 0.0 }.guided(&with, &without), without);
        }
    }

    #[test]
    fn messages_state_the_bound_and_the_value() {
        let message = |scale| Guidance { scale }.validate().unwrap_err().to_string();
        assert_eq!(message(-1.0), "scale of guidance must be finite and at least 0, found -1");
        assert_eq!(message(f64::NAN), "scale of guidance must be finite and at least 0, found NaN");
        assert!(Guidance { scale: 0.0 }.validate().is_ok());
    }
}
