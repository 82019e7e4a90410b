//! How far a long request has come.

use crate::Part;

/// A report of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage that draws: semantic, then coarse, then fine; or semantic, then parallel.
    pub stage: Part,
    /// Frames it has drawn.
    pub done: usize,
    /// Frames it is to draw.
    pub total: usize,
}
