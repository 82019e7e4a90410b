//! What a stage sees while it extends a sequence that may be longer than it has learnt to see.

use std::ops::Range;

/// The frames that a stage of `window` frames sees next: those of `known` that are its prompt, and
/// those up to `total` that it is to add.
///
/// The window starts with the sequence as long as that leaves room. Then it starts anew with the
/// last half window as its prompt.
pub(crate) fn next_window(known: usize, total: usize, window: usize) -> Range<usize> {
    let start = if known < window { 0 } else { known - window / 2 };
    start..(start + window).min(total)
}

/// The frames of codes that a stage sees next: a piece of the recording that is continued, then the
/// latest frames and those to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) recording: Range<usize>,
    pub(crate) latest: Range<usize>,
}

/// What a stage of `window` frames sees of `known` ones, the first `recorded` of which are a
/// recording, and of those up to `total` that it is to add.
///
/// Where the window slides, the middle of the recording stays in view, up to half a window of it:
/// otherwise its voice would be forgotten.
pub(crate) fn next_view(recorded: usize, known: usize, total: usize, window: usize) -> View {
    if known < window {
        return View { recording: 0..0, latest: next_window(known, total, window) };
    }
    let n_kept = recorded.min(window / 2);
    let first_kept = (recorded - n_kept) / 2;
    let n_latest = window - n_kept;
    let start = known - n_latest / 2;
    View {
        recording: first_kept..first_kept + n_kept,
        latest: start..(start + n_latest).min(total),
    }
}

impl View {
    /// How many of the first frames in view are a recording, of which there are `recorded`.
    pub(crate) fn n_recorded(&self, recorded: usize) -> usize {
        self.recording.len() + recorded.min(self.latest.end).saturating_sub(self.latest.start)
    }

    /// The values of these frames, of `width` values each; of the latest, those that are there.
    pub(crate) fn of(&self, values: &[u32], width: usize) -> Vec<u32> {
        let frames = |it: &Range<usize>| {
            let end = (it.end * width).min(values.len());
            &values[it.start * width..end]
        };
        [frames(&self.recording), frames(&self.latest)].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_view_adds_frames_and_shows_none_twice(
            recorded in 0..60usize, more in 0..60usize, missing in 1..60usize, window in 1..30usize,
        ) {
            let known = recorded + more;
            let View { recording, latest } = next_view(recorded, known, known + missing, window);
            prop_assert!(recording.end <= recorded && recording.end <= latest.start.max(recording.start));
            prop_assert!(recording.len() + latest.len() <= window);
            prop_assert!(latest.start <= known && latest.end > known);
            prop_assert!(recording.len() <= window / 2);
        }
    }

    #[test]
    fn the_recording_stays_in_view() {
        let view = |recording, latest| View { recording, latest };
        assert_eq!(next_view(7, 7, 20, 10), view(0..0, 0..10));
        assert_eq!(next_view(7, 10, 20, 10), view(1..6, 8..13));
        assert_eq!(next_view(0, 10, 20, 10), view(0..0, 5..15));
        assert_eq!(next_view(3, 18, 20, 10), view(0..3, 15..20));
    }

    #[test]
    fn what_was_drawn_is_no_recording() {
        let check = |recorded, known, expected| {
            let view = next_view(recorded, known, 40, 10);
            assert_eq!(view.n_recorded(recorded), expected, "{view:?}");
        };
        check(7, 7, 7);
        check(0, 7, 0);
        check(7, 10, 5); // frames 1 to 5; 8 and 9 were drawn
        check(9, 10, 6); // frames 2 to 6, and 8
        check(12, 12, 7); // frames 3 to 7, and 10 and 11
        check(0, 30, 0);
    }

    #[test]
    fn a_view_shows_what_is_there() {
        let codes: Vec<u32> = (0..12).collect();
        let view = View { recording: 1..2, latest: 4..9 };
        assert_eq!(view.of(&codes, 2), [2, 3, 8, 9, 10, 11]);
        assert_eq!(view.of(&codes, 1), [1, 4, 5, 6, 7, 8]);
    }

    /// All windows until nothing is left to add.
    #[track_caller]
    fn check(prompt: usize, total: usize, expected: &[(usize, usize)]) {
        let mut known = prompt;
        let mut found = Vec::new();
        while known < total {
            let window = next_window(known, total, 10);
            known = window.end;
            found.push((window.start, window.end));
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn what_fits_is_one_window() {
        check(0, 10, &[(0, 10)]);
        check(7, 10, &[(0, 10)]);
    }

    #[test]
    fn more_slides_by_half_a_window() {
        check(0, 22, &[(0, 10), (5, 15), (10, 20), (15, 22)]);
    }

    #[test]
    fn a_long_prompt_is_seen_in_part() {
        check(12, 20, &[(7, 17), (12, 20)]);
        check(10, 11, &[(5, 11)]);
    }
}
