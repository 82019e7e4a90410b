//! How likely runs of semantic tokens are, ids and durations.

use burn::prelude::*;
use burn::tensor::activation::log_softmax;

use crate::error::TokenError;
use crate::semantic::SemanticStage;
use crate::semantic_sequence::{SemanticBatch, SemanticRow, SemanticSequences, Timed};
use crate::stage::{at_positions, in_rows, nll, on_host};

/// Log-likelihoods of the runs of one clip, in nats: of all that are predicted, which is every run
/// of a clip that starts where its recording does, and otherwise every run but the first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunLikelihoods {
    /// Of each id, and of the end where the recording ends.
    pub ids: Vec<f32>,
    /// Of each duration given its id. Where the recording goes on, so may the last run: then it is
    /// the likelihood that it lasts at least as long.
    pub durations: Vec<f32>,
}

impl RunLikelihoods {
    /// Of the whole clip, frame by frame.
    pub fn total(&self) -> f64 {
        self.ids.iter().chain(&self.durations).map(|it| f64::from(*it)).sum()
    }
}

impl SemanticStage {
    /// Scores clips to the frame: as [`log_likelihoods`](crate::Stage::log_likelihoods) does, and
    /// durations too. A clip of which nothing is predicted is none the less one of them.
    pub fn run_likelihoods(
        &self,
        batch: &SemanticBatch,
    ) -> Result<Vec<RunLikelihoods>, TokenError> {
        let sequences = SemanticSequences::predicting(self, batch)?;
        if sequences.id_targets.is_empty() {
            return Ok(vec![RunLikelihoods::default(); batch.rows.len()]);
        }
        let hidden = self.decoder.forward(self.embed(&sequences), sequences.conditions.as_ref());
        let of_ids = at_positions(hidden.clone(), &sequences.id_positions);
        let ids = on_host(nll(self.id_logits(of_ids), &sequences.id_targets).neg());
        let ids = in_rows(&ids, sequences.predictions_per_row.iter().copied());
        let durations = self.duration_likelihoods(hidden, &sequences);
        let mut closed = durations.closed.into_iter();
        let mut open = durations.open.into_iter();
        let of_row = |(row, ids): (&SemanticRow, Vec<f32>)| {
            let n_predicted = row.ids.len().saturating_sub(usize::from(!row.starts));
            let n_open = usize::from(!row.ends).min(n_predicted);
            let mut durations: Vec<f32> = closed.by_ref().take(n_predicted - n_open).collect();
            durations.extend(open.by_ref().take(n_open));
            RunLikelihoods { ids, durations }
        };
        Ok(batch.rows.iter().zip(ids).map(of_row).collect())
    }

    /// # Shapes
    /// - hidden: `[batch, time, d_model]`
    fn duration_likelihoods(
        &self,
        hidden: Tensor<3>,
        sequences: &SemanticSequences,
    ) -> DurationLikelihoods {
        let Timed { positions, ids, targets } = sequences.timed.then(&sequences.open);
        if positions.is_empty() {
            return DurationLikelihoods::default();
        }
        let logits = self.duration_logits(at_positions(hidden, &positions), &ids);
        let scores: Tensor<2> = log_softmax(logits, 1);
        let scores = on_host(scores.flatten(0, 1));
        let n_closed = sequences.timed.positions.len();
        let mut rows = scores.chunks_exact(self.max_duration).zip(targets);
        let closed =
            rows.by_ref().take(n_closed).map(|(scores, class)| scores[class as usize]).collect();
        let at_least = |(scores, class): (&[f32], i32)| {
            let shares = scores[class as usize..].iter().map(|it| f64::from(*it).exp());
            // Rounding may make a certainty more than one.
            shares.sum::<f64>().ln().min(0.0) as f32
        };
        DurationLikelihoods { closed, open: rows.map(at_least).collect() }
    }
}

/// Of runs that are known to be over, and of those that may go on.
#[derive(Default)]
struct DurationLikelihoods {
    closed: Vec<f32>,
    open: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stage;
    use crate::laws::{self, check_close};
    use crate::semantic::SemanticStageConfig;

    const N_IDS: usize = 3;
    const MAX_DURATION: u32 = 3;

    fn stage() -> SemanticStage {
        let config = SemanticStageConfig::new(laws::tiny_decoder(), N_IDS)
            .with_max_duration(MAX_DURATION as usize);
        laws::seeded(config.init(&Device::default()).unwrap())
    }

    fn row(ids: &[u32], durations: &[u32], starts: bool, ends: bool) -> SemanticRow {
        SemanticRow {
            ids: ids.to_vec(),
            durations: durations.to_vec(),
            starts,
            ends,
            condition: None,
        }
    }

    fn scored(rows: &[SemanticRow]) -> Vec<RunLikelihoods> {
        stage().run_likelihoods(&SemanticBatch { rows: rows.to_vec() }).unwrap()
    }

    #[test]
    fn ids_and_closed_durations_are_those_of_the_loss() {
        let rows = [row(&[0, 2, 1], &[1, 3, 2], true, true), row(&[1, 0], &[2, 2], false, true)];
        let loss = stage().loss(&SemanticBatch { rows: rows.to_vec() }).unwrap();
        let found = scored(&rows);
        let ids = stage().log_likelihoods(&SemanticBatch { rows: rows.to_vec() }).unwrap();
        for (found, expected) in found.iter().zip(&ids) {
            check_close(&found.ids, expected);
        }
        let durations: Vec<f32> = found.iter().flat_map(|it| it.durations.clone()).collect();
        assert_eq!(found.iter().map(|it| it.durations.len()).collect::<Vec<_>>(), [3, 1]);
        let mean = -durations.iter().sum::<f32>() / durations.len() as f32;
        check_close(&[mean], &[loss.duration_nll.unwrap().into_scalar()]);
    }

    #[test]
    fn a_run_that_may_go_on_lasts_so_long_or_longer() {
        let lasting = |duration, ends| {
            let durations = scored(&[row(&[0, 2], &[1, duration], true, ends)]).remove(0).durations;
            f64::from(durations[1])
        };
        assert!(lasting(1, false).abs() < 1e-6, "at least one frame is certain");
        let longer = lasting(2, true).exp() + lasting(3, true).exp();
        assert!((lasting(2, false).exp() - longer).abs() < 1e-6);
        // Longer ones count as the longest.
        assert_eq!(lasting(9, false), lasting(MAX_DURATION, true));
    }

    #[test]
    fn rows_are_independent() {
        let rows = [
            row(&[0, 2, 1], &[1, 3, 2], true, true),
            row(&[1], &[2], false, false),
            row(&[1, 0, 2, 0], &[2, 2, 1, 1], false, false),
        ];
        let together = scored(&rows);
        assert_eq!(together[1], RunLikelihoods::default());
        assert_eq!(scored(&rows[1..2]), [RunLikelihoods::default()]);
        for idx in [0, 2] {
            let alone = scored(&rows[idx..=idx]).remove(0);
            check_close(&together[idx].ids, &alone.ids);
            check_close(&together[idx].durations, &alone.durations);
        }
    }
}
