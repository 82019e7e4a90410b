//! How to train the coarse stage.

use audiolm_nn::generator;
use audiolm_transformer::CoarseStageConfig;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::language::{Frames, Split};
use crate::{Cadence, Schedule, StageSettings};

/// How to train the coarse stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoarseSettings {
    /// The share of crops that are learnt without their semantic ids, so that the stage can draw codes
    /// on its own: 1 makes the acoustic-only model that AudioLM is compared with on piano.
    pub semantic_dropout: f64,
    /// The stage.
    pub model: CoarseStageConfig,
    /// Crops in a batch.
    pub batch: usize,
    /// Seconds of a crop.
    pub crop_seconds: f64,
    /// How fast to learn.
    pub schedule: Schedule,
    /// How often to look and to save.
    pub cadence: Cadence,
    /// Whether layers are run again for their gradients: a step takes less memory, and longer.
    pub gradient_checkpointing: bool,
}

impl CoarseSettings {
    /// Those of any stage.
    pub(crate) fn stage(&self) -> StageSettings<CoarseStageConfig> {
        let Self { batch, crop_seconds, schedule, cadence, gradient_checkpointing, .. } = *self;
        let model = self.model.clone();
        StageSettings { model, batch, crop_seconds, schedule, cadence, gradient_checkpointing }
    }

    /// Which crops are learnt without semantic ids.
    pub(crate) fn dropout(&self, seed: u64) -> SemanticDropout {
        SemanticDropout { share: self.semantic_dropout, seed }
    }
}

impl From<StageSettings<CoarseStageConfig>> for CoarseSettings {
    /// With all semantic ids.
    fn from(settings: StageSettings<CoarseStageConfig>) -> Self {
        Self {
            semantic_dropout: 0.0,
            model: settings.model,
            batch: settings.batch,
            crop_seconds: settings.crop_seconds,
            schedule: settings.schedule,
            cadence: settings.cadence,
            gradient_checkpointing: settings.gradient_checkpointing,
        }
    }
}

/// Which crops are learnt without semantic ids: it depends on where they lie, so that a run that was
/// interrupted goes on as it would have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SemanticDropout {
    share: f64,
    seed: u64,
}

impl SemanticDropout {
    /// Whether a crop is one of them. Held-out crops have their ids, unless none is ever learnt with
    /// them.
    pub(crate) fn has(&self, on: Split, crop: Frames) -> bool {
        match on {
            Split::Train => {
                let place = ((crop.recording as u64) << 32) + crop.start as u64;
                let mut rng = generator(self.seed, "semantic dropout", place);
                rng.random::<f64>() < self.share
            }
            Split::Valid => self.share == 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a thousand crops are learnt without semantic ids.
    fn n_dropped(share: f64, on: Split) -> usize {
        let dropout = SemanticDropout { share, seed: 7 };
        let crop = |idx: usize| Frames { recording: idx / 100, start: idx % 100, end: 200 };
        (0..1000).filter(|it| dropout.has(on, crop(*it))).count()
    }

    #[test]
    fn as_many_crops_are_dropped_as_the_share_says() {
        assert_eq!((n_dropped(0.0, Split::Train), n_dropped(1.0, Split::Train)), (0, 1000));
        let some = n_dropped(0.2, Split::Train);
        // Four standard deviations.
        assert!((150..250).contains(&some), "{some}");
        assert_eq!(some, n_dropped(0.2, Split::Train));
    }

    #[test]
    fn held_out_crops_are_measured_as_most_are_learnt() {
        assert_eq!((n_dropped(0.9, Split::Valid), n_dropped(1.0, Split::Valid)), (0, 1000));
    }
}
