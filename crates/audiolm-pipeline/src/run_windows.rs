//! Which runs of semantic ids are scored at once where there are more than the stage has learnt to
//! see.

use std::ops::Range;

/// Runs that are read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunWindow {
    /// Those that are read.
    pub(crate) runs: Range<usize>,
    /// The first of them that no earlier window has held.
    pub(crate) first_new: usize,
}

/// Windows of at most `window` frames over runs of these durations, so that each run but those of the
/// first window has half a window before it.
///
/// A window holds two runs of the one before and one that is new, however long they are: the duration
/// of the last run is known only to the next window, which has to predict it.
pub(crate) fn run_windows(durations: &[u32], window: usize) -> Vec<RunWindow> {
    let (mut windows, mut known) = (Vec::new(), 0);
    while known < durations.len() {
        let before = durations[..known].iter().rev();
        let n_before = n_within(before, window / 2).max(2).min(known);
        let start = known - n_before;
        let end = (start + n_within(durations[start..].iter(), window)).max(known + 1);
        windows.push(RunWindow { runs: start..end, first_new: known });
        known = end;
    }
    windows
}

/// How many durations sum to at most `most`.
fn n_within<'a>(durations: impl Iterator<Item = &'a u32>, most: usize) -> usize {
    let sums = durations.scan(0, |sum, it| {
        *sum += *it as usize;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= most).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_run_is_new_once(
            durations in proptest::collection::vec(1..12_u32, 0..60), window in 1..40_usize,
        ) {
            let windows = run_windows(&durations, window);
            let mut known = 0;
            for RunWindow { runs, first_new } in windows {
                prop_assert_eq!(first_new, known);
                prop_assert!(runs.end > known && runs.start <= known.saturating_sub(2));
                let frames = |it: Range<usize>| durations[it].iter().sum::<u32>() as usize;
                // Three runs are read, whatever they last, and the last of any may be too long.
                prop_assert!(runs.len() <= 3 || frames(runs.start..runs.end - 1) <= window);
                known = runs.end;
            }
            prop_assert_eq!(known, durations.len());
        }
    }

    #[test]
    fn what_fits_is_one_window() {
        assert_eq!(run_windows(&[3, 3, 4], 10), [RunWindow { runs: 0..3, first_new: 0 }]);
        assert_eq!(run_windows(&[], 10), []);
    }

    #[test]
    fn later_windows_see_half_a_window_before_what_is_new() {
        let window = |runs, first_new| RunWindow { runs, first_new };
        let expected = [window(0..10, 0), window(5..15, 10), window(10..18, 15)];
        assert_eq!(run_windows(&[1; 18], 10), expected);
    }
}
