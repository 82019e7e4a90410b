//! Long recordings, piece by piece.

use std::ops::Range;

use burn::prelude::*;

use crate::SemanticError;

/// How a recording longer than one window is divided.
#[derive(Config, Debug, PartialEq, Eq)]
pub struct WindowConfig {
    /// Frames that the encoder sees at once, at most: 1000 are 20 s.
    #[config(default = 1000)]
    pub frames: usize,
    /// Frames at each end of a window that only serve the others as context: 50 are 1 s.
    #[config(default = 50)]
    pub context_frames: usize,
}

/// One window of a recording, in frames of the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// What is encoded.
    pub(crate) seen: Range<usize>,
    /// What is kept of it.
    pub(crate) kept: Range<usize>,
}

impl WindowConfig {
    pub(crate) fn validate(&self) -> Result<(), SemanticError> {
        let &Self { frames, context_frames } = self;
        if frames > 2 * context_frames {
            return Ok(());
        }
        Err(SemanticError::WindowTooShort { frames, context_frames })
    }

    /// Windows of equal length whose kept parts are the recording, without gap or overlap. A
    /// recording no longer than a window is one window.
    pub(crate) fn windows(&self, n_frames: usize) -> Vec<Window> {
        let length = self.frames.min(n_frames);
        let mut windows = Vec::new();
        let mut kept = 0;
        while kept < n_frames {
            // The last window reaches further back instead of being shorter.
            let start = kept.saturating_sub(self.context_frames).min(n_frames - length);
            let end = start + length;
            let keep_to = if end == n_frames { end } else { end - self.context_frames };
            windows.push(Window { seen: start..end, kept: kept..keep_to });
            kept = keep_to;
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_recording_is_one_window() {
        let windows = WindowConfig::new().windows(1000);
        assert_eq!(windows, [Window { seen: 0..1000, kept: 0..1000 }]);
    }

    #[test]
    fn the_last_window_reaches_back() {
        let windows = WindowConfig::new().windows(1001);
        let expected =
            [Window { seen: 0..1000, kept: 0..950 }, Window { seen: 1..1001, kept: 950..1001 }];
        assert_eq!(windows, expected);
    }

    proptest! {
        #[test]
        fn kept_parts_are_the_recording(
            context_frames in 0usize..10,
            room in 1usize..20,
            n_frames in 0usize..300,
        ) {
            let config = WindowConfig { frames: 2 * context_frames + room, context_frames };
            let windows = config.windows(n_frames);
            let kept: Vec<usize> = windows.iter().flat_map(|it| it.kept.clone()).collect();
            prop_assert_eq!(kept, (0..n_frames).collect::<Vec<_>>());
            for Window { seen, kept } in windows {
                prop_assert_eq!(seen.len(), config.frames.min(n_frames));
                prop_assert!(seen.start == 0 || kept.start - seen.start >= context_frames);
                prop_assert!(seen.end == n_frames || seen.end - kept.end >= context_frames);
            }
        }
    }
}
