//! Rows of semantic tokens, and what is read and predicted where.

use crate::condition::{Condition, Conditions};
use crate::error::TokenError;
use crate::layout::in_range;
use crate::semantic::SemanticStage;
use crate::stage::Padded;

/// A batch of clips for [`SemanticStage`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SemanticBatch {
    /// The clips, of any lengths.
    pub rows: Vec<SemanticRow>,
}

/// The deduplicated semantic tokens of one clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SemanticRow {
    /// One id per run of equal ids.
    pub ids: Vec<u32>,
    /// How many frames each run lasts, at least 1.
    pub durations: Vec<u32>,
    /// Whether a recording starts where this clip does: only then is its first id predicted.
    pub starts: bool,
    /// Whether a recording ends where this clip does: only then is the end predicted. Otherwise
    /// the last run may go on, and nothing is learnt from its duration.
    pub ends: bool,
    /// What it is told, if anything.
    pub condition: Option<Condition>,
}

impl SemanticRow {
    /// How many tokens are read of it.
    pub(crate) fn n_read(&self) -> usize {
        self.ids.len() + usize::from(self.starts)
    }

    /// Refuses ids beyond the vocabulary and durations that are none.
    pub(crate) fn validate(&self, n_ids: usize) -> Result<(), TokenError> {
        let (ids, durations) = (self.ids.len(), self.durations.len());
        if ids != durations {
            return Err(TokenError::UnequalLengths { ids, durations });
        }
        if let Some(position) = self.durations.iter().position(|it| *it == 0) {
            return Err(TokenError::ZeroDuration { position });
        }
        in_range("semantic id", &self.ids, n_ids)
    }
}

/// A batch as the stage reads it.
pub(crate) struct SemanticSequences {
    /// Ids that are read, after the start where there is one.
    pub(crate) ids: Padded,
    /// Their duration classes.
    pub(crate) durations: Padded,
    /// `row · time + position` of every prediction of an id or an end.
    pub(crate) id_positions: Vec<i32>,
    /// What is right there.
    pub(crate) id_targets: Vec<i32>,
    /// How many of these predictions each row has.
    pub(crate) predictions_per_row: Vec<usize>,
    /// The predictions of durations.
    pub(crate) timed: Timed,
    /// What each row is told.
    pub(crate) conditions: Option<Conditions>,
    /// Of last runs that may go on, the least durations: nothing is learnt from them.
    pub(crate) open: Timed,
}

/// Predictions of durations: where, of which ids, and what is right.
#[derive(Default)]
pub(crate) struct Timed {
    pub(crate) positions: Vec<i32>,
    pub(crate) ids: Vec<i32>,
    pub(crate) targets: Vec<i32>,
}

impl SemanticSequences {
    pub(crate) fn new(stage: &SemanticStage, batch: &SemanticBatch) -> Result<Self, TokenError> {
        let sequences = Self::predicting(stage, batch)?;
        if sequences.id_targets.is_empty() {
            return Err(TokenError::NothingToPredict);
        }
        Ok(sequences)
    }

    /// The same, also where nothing is predicted.
    pub(crate) fn predicting(
        stage: &SemanticStage,
        batch: &SemanticBatch,
    ) -> Result<Self, TokenError> {
        for row in &batch.rows {
            row.validate(stage.n_ids)?;
        }
        let mut sequences = Self::reading(stage, &batch.rows);
        let told: Vec<_> = batch.rows.iter().map(|row| row.condition.as_ref()).collect();
        sequences.conditions = stage.decoder.conditions(&told)?;
        for (idx, row) in batch.rows.iter().enumerate() {
            sequences.predict(stage, idx, row);
        }
        Ok(sequences)
    }

    /// What is read of the rows: all of them, after their starts.
    pub(crate) fn reading(stage: &SemanticStage, rows: &[SemanticRow]) -> Self {
        let started = |row: &SemanticRow, start: u32, rest: Vec<u32>| -> Vec<u32> {
            row.starts.then_some(start).into_iter().chain(rest).collect()
        };
        let ids = |row: &SemanticRow| started(row, stage.start(), row.ids.clone());
        let classes = |row: &SemanticRow| {
            let classes = row.durations.iter().map(|it| stage.duration_class(*it));
            started(row, 0, classes.collect())
        };
        Self {
            ids: Padded::new(rows.iter().map(ids).collect::<Vec<_>>().iter()),
            durations: Padded::new(rows.iter().map(classes).collect::<Vec<_>>().iter()),
            id_positions: Vec::new(),
            id_targets: Vec::new(),
            predictions_per_row: Vec::new(),
            timed: Timed::default(),
            conditions: None,
            open: Timed::default(),
        }
    }

    /// Adds the predictions of one row: each id from the position before it.
    fn predict(&mut self, stage: &SemanticStage, row_idx: usize, row: &SemanticRow) {
        let first = (row_idx * self.ids.time) as i32;
        // Without a start nothing stands before the first id.
        let unseen = usize::from(!row.starts);
        let end = row.ends.then(|| stage.end());
        let before = self.id_targets.len();
        for (position, id) in row.ids.iter().copied().chain(end).skip(unseen).enumerate() {
            self.id_positions.push(first + position as i32);
            self.id_targets.push(id as i32);
        }
        self.predictions_per_row.push(self.id_targets.len() - before);

        let whole_runs = if row.ends { row.ids.len() } else { row.ids.len().saturating_sub(1) };
        for idx in unseen..row.ids.len() {
            let timed = if idx < whole_runs { &mut self.timed } else { &mut self.open };
            timed.positions.push(first + (idx - unseen) as i32);
            timed.ids.push(row.ids[idx] as i32);
            timed.targets.push(stage.duration_class(row.durations[idx]) as i32);
        }
    }
}

impl Timed {
    /// These, then `rest`.
    pub(crate) fn then(&self, rest: &Self) -> Self {
        let joined = |a: &[i32], b: &[i32]| [a, b].concat();
        Self {
            positions: joined(&self.positions, &rest.positions),
            ids: joined(&self.ids, &rest.ids),
            targets: joined(&self.targets, &rest.targets),
        }
    }
}
