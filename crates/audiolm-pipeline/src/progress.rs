//! How far a long request has come.

use crate::Part;

/// A report of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage that draws: semantic, coarse, fine or parallel. They take turns.
    pub stage: Part,
    /// Frames it has drawn.
    pub done: usize,
    /// Frames it is to draw.
    pub total: usize,
}

impl Progress {
    /// Whether the frames are whole: a last stage has drawn them.
    pub fn is_of_whole_frames(&self) -> bool {
        matches!(self.stage, Part::Fine | Part::Parallel)
    }
}
