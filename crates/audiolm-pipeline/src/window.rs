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

#[cfg(test)]
mod tests {
    use super::*;

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
