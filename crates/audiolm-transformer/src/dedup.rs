//! Runs of equal semantic ids, collapsed to one id each.

use crate::error::TokenError;

/// Deduplicated semantic ids with what deduplication would lose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runs {
    /// One id per run.
    pub ids: Vec<u32>,
    /// How many frames each run lasts.
    pub durations: Vec<u32>,
}

impl Runs {
    /// Collapses each run of equal ids (AudioLM, section III-B).
    pub fn of(frames: &[u32]) -> Self {
        let mut runs = Self::default();
        for run in frames.chunk_by(|a, b| a == b) {
            runs.ids.push(run[0]);
            runs.durations.push(run.len() as u32);
        }
        runs
    }

    /// The id of every frame again: the inverse of [`of`](Self::of).
    pub fn frames(&self) -> Result<Vec<u32>, TokenError> {
        let Self { ids, durations } = self;
        if ids.len() != durations.len() {
            let (ids, durations) = (ids.len(), durations.len());
            return Err(TokenError::UnequalLengths { ids, durations });
        }
        let run = |(id, duration): (&u32, &u32)| std::iter::repeat_n(*id, *duration as usize);
        Ok(ids.iter().zip(durations).flat_map(run).collect())
    }

    /// The middle of each run, in frames of codes, of which `codes_per_id` pass in one frame of ids:
    /// 2.0 for ids at 25 Hz and codes at 50 Hz.
    pub fn middles(&self, codes_per_id: f64) -> Vec<u32> {
        let mut start = 0;
        let middle = |duration: &u32| {
            let middle = f64::from(start) + f64::from(*duration) / 2.0;
            start += duration;
            (middle * codes_per_id) as u32
        };
        self.durations.iter().map(middle).collect()
    }

    /// How many frames all runs last.
    pub fn n_frames(&self) -> usize {
        self.durations.iter().map(|it| *it as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_frame_is_lost(frames in proptest::collection::vec(0..3u32, 0..40)) {
            let runs = Runs::of(&frames);
            prop_assert_eq!(runs.n_frames(), frames.len());
            prop_assert!(runs.ids.windows(2).all(|pair| pair[0] != pair[1]));
            prop_assert_eq!(runs.frames().unwrap(), frames);
        }
    }

    #[test]
    fn middles_are_in_frames_of_codes() {
        let runs = Runs::of(&[7, 7, 7, 7, 1, 2, 2]);
        assert_eq!(runs.middles(1.0), [2, 4, 6]);
        assert_eq!(runs.middles(2.0), [4, 9, 12]);
    }

    #[test]
    fn runs_without_durations_are_refused() {
        let runs = Runs { ids: vec![1, 2], durations: vec![1] };
        assert_eq!(runs.frames().unwrap_err(), TokenError::UnequalLengths { ids: 2, durations: 1 });
    }
}
