//! The same said faster or slower.
//!
//! Semantic ids come with how long they last, so tempo is a matter of durations: these are scaled,
//! and the codes are drawn for the new ones. Pitch and voice are the business of the codes, and stay.

use audiolm_transformer::Runs;

use crate::PipelineError;

/// The slowest tempo.
pub const MIN_TEMPO: f64 = 0.25;
/// The fastest.
pub const MAX_TEMPO: f64 = 4.0;

/// Refuses what is no tempo.
pub(crate) fn validate(tempo: f64) -> Result<(), PipelineError> {
    match (MIN_TEMPO..=MAX_TEMPO).contains(&tempo) {
        true => Ok(()),
        false => Err(PipelineError::Tempo { found: tempo }),
    }
}

/// How many frames are left of `n_frames`, at least one.
pub(crate) fn n_retimed(n_frames: usize, tempo: f64) -> usize {
    (n_frames as f64 / tempo).round().max(1.0) as usize
}

/// How many frames become `n_frames`, at least one.
pub(crate) fn n_before(n_frames: usize, tempo: f64) -> usize {
    n_retimed(n_frames, 1.0 / tempo)
}

/// Scales durations, one after another, so that so many frames become exactly as many as asked for.
///
/// Every id starts where its start is scaled to, to the nearest frame, but none is left without a
/// frame where there are enough of them.
#[derive(Debug, Clone)]
pub(crate) struct Retiming {
    n_before: usize,
    n_after: usize,
    /// Frames of the shortest run: none where there are more runs than frames.
    least: usize,
    /// Frames that have been scaled,
    heard: usize,
    /// and what they have become.
    told: usize,
}

impl Retiming {
    /// Makes `n_after` frames of `n_before`, both at least 1.
    pub(crate) fn new(n_before: usize, n_after: usize) -> Self {
        Self { n_before, n_after, least: 1, heard: 0, told: 0 }
    }

    /// How many frames the next run gets. At least `n_following` runs are known to come after it,
    /// each of which will want a frame.
    pub(crate) fn next(&mut self, duration: u32, n_following: usize) -> usize {
        self.heard += duration as usize;
        // To the nearest whole number, in whole numbers.
        let scaled = (2 * self.heard * self.n_after + self.n_before) / (2 * self.n_before);
        let last = self.n_after.saturating_sub(n_following).max(self.told);
        let end = scaled.max(self.told + self.least).min(last);
        let n_frames = end - self.told;
        self.told = end;
        n_frames
    }
}

/// Frames of ids with all durations scaled, so that they are exactly `n_after`. An id is lost only
/// where there are more of them than frames.
pub(crate) fn retimed(frames: &[u32], n_after: usize) -> Vec<u32> {
    let Runs { ids, durations } = Runs::of(frames);
    let all_stay = ids.len() <= n_after;
    let least = usize::from(all_stay);
    let mut retiming = Retiming { least, ..Retiming::new(frames.len(), n_after) };
    let mut run = |(idx, (id, duration)): (usize, (&u32, &u32))| {
        let n_following = if all_stay { ids.len() - 1 - idx } else { 0 };
        std::iter::repeat_n(*id, retiming.next(*duration, n_following))
    };
    ids.iter().zip(&durations).enumerate().flat_map(&mut run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_length_is_exact_and_the_order_kept(
            frames in proptest::collection::vec(0..4_u32, 1..60), n_frames in 1..120_usize,
        ) {
            let found = retimed(&frames, n_frames);
            prop_assert_eq!(found.len(), n_frames);
            let (ids, before) = (Runs::of(&found).ids, Runs::of(&frames).ids);
            if before.len() <= n_frames {
                prop_assert_eq!(ids, before);
            }
        }

        #[test]
        fn the_same_length_changes_nothing(
            frames in proptest::collection::vec(0..4_u32, 1..60),
        ) {
            prop_assert_eq!(retimed(&frames, frames.len()), frames);
        }

        #[test]
        fn long_runs_start_to_the_frame_where_they_should(
            durations in proptest::collection::vec(4..20_u32, 1..12), percent in 50..200_usize,
        ) {
            let frames = |it: (usize, &u32)| std::iter::repeat_n(it.0 as u32, *it.1 as usize);
            let frames: Vec<u32> = durations.iter().enumerate().flat_map(frames).collect();
            let n_frames = (frames.len() * percent).div_ceil(100);
            let found = Runs::of(&retimed(&frames, n_frames)).durations;
            let scale = n_frames as f64 / frames.len() as f64;
            let (mut end, mut found_end) = (0.0, 0.0);
            for (duration, found) in durations.iter().zip(&found) {
                end += f64::from(*duration) * scale;
                found_end += f64::from(*found);
                prop_assert!((end - found_end).abs() <= 0.5 + 1e-9);
            }
        }
    }

    #[test]
    fn short_runs_keep_a_frame() {
        assert_eq!(retimed(&[7, 7, 7, 7, 7, 1, 2, 3], 4), [7, 1, 2, 3]);
        assert_eq!(retimed(&[1, 2, 3, 7, 7, 7, 7, 7], 4), [1, 2, 3, 7]);
        // Four runs have no room in two frames: some go, from everywhere.
        assert_eq!(retimed(&[1, 2, 3, 4], 2), [1, 3]);
    }

    #[test]
    fn lengths_are_scaled_and_never_nothing() {
        assert_eq!((n_retimed(100, 1.25), n_retimed(1, 4.0)), (80, 1));
        assert_eq!((n_before(80, 1.25), n_before(1, 0.25)), (100, 1));
    }

    #[test]
    fn what_is_no_tempo_is_refused() {
        for tempo in [0.0, -1.0, f64::NAN, f64::INFINITY, 4.01] {
            assert!(validate(tempo).is_err(), "{tempo}");
        }
        assert!(validate(MAX_TEMPO).is_ok() && validate(MIN_TEMPO).is_ok());
    }
}
