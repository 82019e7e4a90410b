//! Long recordings, piece by piece.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::SemanticError;

/// How a recording longer than one window is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowConfig {
    /// Frames that the encoder sees at once, at most: 1000 are 20 s.
    pub frames: usize,
    /// Frames at each end of a window that only serve the others as context: 50 are 1 s.
    pub context_frames: usize,
    /// As many at the end alone, where they differ from those at the start: the look-ahead of a
    /// stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_frames: Option<usize>,
}

/// One window of a recording, in frames of the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// What is encoded.
    pub(crate) seen: Range<usize>,
    /// What is kept of it.
    pub(crate) kept: Range<usize>,
}

/// How long a recording is, as far as one knows, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// So long, or longer.
    AtLeast(usize),
    /// So long and no longer.
    Exactly(usize),
}

/// Windows whose ends lie between ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windows {
    /// In ids.
    length: usize,
    context: usize,
    ahead: usize,
    frames_per_id: usize,
}

impl WindowConfig {
    /// Windows of 20 s with a second of context at each end, of 50 frames a second.
    pub const fn new() -> Self {
        Self { frames: 1000, context_frames: 50, ahead_frames: None }
    }

    /// Windows of other lengths.
    pub const fn with_frames(self, frames: usize) -> Self {
        Self { frames, ..self }
    }

    /// Other contexts.
    pub const fn with_context_frames(self, context_frames: usize) -> Self {
        Self { context_frames, ..self }
    }

    /// Another context at the end than at the start.
    pub const fn with_ahead_frames(self, ahead_frames: usize) -> Self {
        Self { ahead_frames: Some(ahead_frames), ..self }
    }

    pub(crate) fn of_ids(&self, frames_per_id: usize) -> Result<Windows, SemanticError> {
        let &Self { frames, context_frames, ahead_frames } = self;
        let ahead = ahead_frames.unwrap_or(context_frames).div_ceil(frames_per_id);
        let (length, context) = (frames / frames_per_id, context_frames.div_ceil(frames_per_id));
        match length > context + ahead {
            true => Ok(Windows { length, context, ahead, frames_per_id }),
            false => Err(SemanticError::WindowTooShort { frames, context_frames, ahead_frames }),
        }
    }
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl Extent {
    fn in_steps_of(self, frames: usize) -> Self {
        match self {
            Self::AtLeast(n) => Self::AtLeast(n / frames),
            Self::Exactly(n) => Self::Exactly(n.div_ceil(frames)),
        }
    }
}

impl Windows {
    /// Frames of a window.
    pub(crate) fn frames(&self) -> usize {
        self.length * self.frames_per_id
    }

    /// Windows of equal length whose kept parts are the recording, without gap or overlap. A
    /// recording no longer than a window is one window.
    pub(crate) fn all(&self, n_frames: usize) -> Vec<Window> {
        let mut windows: Vec<Window> = Vec::new();
        let kept = |windows: &[Window]| windows.last().map_or(0, |it| it.kept.end);
        while let Some(window) = self.after(kept(&windows), Extent::Exactly(n_frames)) {
            windows.push(window);
        }
        windows
    }

    /// The window that keeps what follows the first `kept` frames: those of the windows before. There is
    /// none yet where more of the recording has to be known, and none any more at its end.
    pub(crate) fn after(&self, kept: usize, extent: Extent) -> Option<Window> {
        let step = self.frames_per_id;
        let end = match extent {
            Extent::AtLeast(_) => usize::MAX,
            Extent::Exactly(n) => n,
        };
        let Window { seen, kept } =
            self.after_ids(kept.div_ceil(step), extent.in_steps_of(step))?;
        let frames = |it: Range<usize>| it.start * step..(it.end * step).min(end);
        Some(Window { seen: frames(seen), kept: frames(kept) })
    }

    /// The same in ids.
    fn after_ids(&self, kept: usize, extent: Extent) -> Option<Window> {
        let start = kept.saturating_sub(self.context);
        match extent {
            // Were this the end, all would be kept.
            Extent::AtLeast(n) if start + self.length < n => Some(self.full(kept, start)),
            Extent::AtLeast(_) => None,
            Extent::Exactly(n) if kept >= n => None,
            Extent::Exactly(n) if start + self.length < n => Some(self.full(kept, start)),
            // The last window reaches further back instead of being shorter.
            Extent::Exactly(n) => {
                Some(Window { seen: n.saturating_sub(self.length)..n, kept: kept..n })
            }
        }
    }

    fn full(&self, kept: usize, start: usize) -> Window {
        let end = start + self.length;
        Window { seen: start..end, kept: kept..end - self.ahead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windows(n_frames: usize) -> Vec<Window> {
        WindowConfig::new().of_ids(1).expect("there is room").all(n_frames)
    }

    #[test]
    fn a_short_recording_is_one_window() {
        assert_eq!(windows(1000), [Window { seen: 0..1000, kept: 0..1000 }]);
    }

    #[test]
    fn the_last_window_reaches_back() {
        let expected =
            [Window { seen: 0..1000, kept: 0..950 }, Window { seen: 1..1001, kept: 950..1001 }];
        assert_eq!(windows(1001), expected);
    }

    #[test]
    fn contexts_that_fill_a_window_are_refused() {
        let config = WindowConfig::new().with_frames(100);
        let message = |it: WindowConfig| it.of_ids(2).unwrap_err().to_string();
        let expected = "a window of 100 frames has no room beside contexts of 50";
        assert_eq!(message(config), expected);
        let expected =
            "a window of 100 frames has no room beside contexts of 50, and 60 at the end";
        assert_eq!(message(config.with_ahead_frames(60)), expected);
    }

    /// Contexts, room between them, frames of an id, frames of a recording.
    fn divisions() -> impl Strategy<Value = (WindowConfig, usize, usize)> {
        (0usize..10, 0usize..10, 1usize..20, 1usize..4, 0usize..300).prop_map(
            |(context, ahead, room, step, n_frames)| {
                // Contexts are rounded up to whole ids.
                let frames = (context.div_ceil(step) + ahead.div_ceil(step) + room) * step;
                let config = WindowConfig::new().with_frames(frames);
                (config.with_context_frames(context).with_ahead_frames(ahead), step, n_frames)
            },
        )
    }

    proptest! {
        #[test]
        fn kept_parts_are_the_recording((config, step, n_frames) in divisions()) {
            let windows = config.of_ids(step).unwrap().all(n_frames);
            let kept: Vec<usize> = windows.iter().flat_map(|it| it.kept.clone()).collect();
            prop_assert_eq!(kept, (0..n_frames).collect::<Vec<_>>());
            for Window { seen, kept } in windows {
                // Only the last id of a recording may be of fewer frames than others.
                let short = n_frames.div_ceil(step) * step - n_frames;
                prop_assert!(seen.len() + short >= config.frames.min(n_frames));
                prop_assert!(seen.len() <= config.frames);
                prop_assert_eq!(seen.start % step, 0);
                prop_assert!(seen.start == 0 || kept.start - seen.start >= config.context_frames);
                let ahead = config.ahead_frames.unwrap();
                prop_assert!(seen.end == n_frames || seen.end - kept.end >= ahead);
            }
        }

        #[test]
        fn what_is_known_early_is_known_for_good((config, step, n_frames) in divisions()) {
            let windows = config.of_ids(step).unwrap();
            let (mut early, mut kept) = (Vec::new(), 0);
            for heard in 0..=n_frames {
                while let Some(window) = windows.after(kept, Extent::AtLeast(heard)) {
                    prop_assert!(window.seen.end < heard);
                    kept = window.kept.end;
                    early.push(window);
                }
                // Nothing waits for longer than a window and one id.
                prop_assert!(heard <= kept + windows.frames() + step);
            }
            let whole = windows.all(n_frames);
            prop_assert_eq!(&whole[..early.len()], &early[..]);
            // One window is left, or two where the last id is of fewer frames than others.
            let left = whole.len() - early.len();
            prop_assert!((n_frames.min(1)..=2).contains(&left), "{}", left);
        }
    }
}
