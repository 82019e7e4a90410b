//! What a stage sees of a sequence while it fills a gap in it.

use std::ops::Range;

use crate::window::{View, next_view};

/// A gap in a sequence of frames, and how much of both a stage can see at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// Frames before the gap.
    pub(super) left: usize,
    /// Frames of the gap.
    pub(super) gap: usize,
    /// Frames behind it.
    pub(super) right: usize,
    /// Frames that are seen at once, at least 2.
    pub(super) window: usize,
}

impl Around {
    /// How many frames behind what is drawn are seen of what is known there, and how many of the right
    /// side judge what was drawn: up to a quarter of the window.
    pub(super) fn ahead(&self) -> usize {
        self.right.min(self.window / 4)
    }

    /// How many frames of the right side are shown before everything else, where the left one is too
    /// short to tell the voice: up to a quarter of the window together.
    pub(super) fn borrowed(&self) -> usize {
        (self.window / 4).saturating_sub(self.left).min(self.right)
    }

    /// What is seen of both the left side and the gap, `known` frames in all, to draw the next ones.
    pub(super) fn next(&self, known: usize) -> View {
        let room = self.window - self.ahead() - self.borrowed();
        next_view(self.left, known, self.left + self.gap, room)
    }

    /// The frames that are read to judge what was drawn; the last of them are those ahead.
    pub(super) fn judged(&self) -> Range<usize> {
        let end = self.left + self.gap + self.ahead();
        end.saturating_sub(self.window)..end
    }
}

impl View {
    /// The same with frames that follow the latest.
    pub(super) fn and_ahead(&self, n_frames: usize) -> Self {
        let View { recording, latest } = self.clone();
        View { recording, latest: latest.start..latest.end + n_frames }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_fill_the_gap_and_never_show_too_much(
            left in 0..60_usize, gap in 1..60_usize, right in 0..60_usize, window in 2..30_usize,
        ) {
            let around = Around { left, gap, right, window };
            let mut known = left;
            while known < left + gap {
                let view = around.next(known);
                prop_assert!(view.latest.end > known && view.latest.end <= left + gap);
                let shown = view.recording.len() + view.latest.len();
                prop_assert!(around.borrowed() + shown + around.ahead() <= window);
                known = view.latest.end;
            }
            let judged = around.judged();
            prop_assert!(judged.len() <= window && judged.end <= left + gap + right);
        }
    }

    #[test]
    fn a_short_left_side_borrows_of_the_right() {
        let borrowed = |left, right| Around { left, gap: 5, right, window: 20 }.borrowed();
        assert_eq!([borrowed(9, 9), borrowed(2, 9), borrowed(0, 9), borrowed(0, 3)], [0, 3, 5, 3]);
    }
}
