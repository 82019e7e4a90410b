//! Which line is which: names in rows under the title.

use crate::canvas::{Anchor, At, Canvas, Pen};
use crate::font::{Weight, outline};
use crate::frame::{LABEL_SIZE, label_type};

/// Pixels from one row to the next.
const ROW: f32 = 27.0;
/// The sample of a line, and the gaps around it.
const SAMPLE: f32 = 28.0;
const GAP: f32 = 9.0;
const BETWEEN: f32 = 30.0;

/// A name and its line.
pub(crate) struct Entry<'a> {
    pub name: &'a str,
    pub pen: Pen,
}

/// Where the entries go: from `left` to `right`, the first row's baseline at `top`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LegendPlace {
    pub left: f32,
    pub right: f32,
    pub top: f32,
}

/// Draws the entries in as many rows as they need. What comes back is the last row's baseline.
pub(crate) fn draw_legend(canvas: &mut Canvas, entries: &[Entry<'_>], place: LegendPlace) -> f32 {
    let (mut x, mut y) = (place.left, place.top);
    for entry in entries {
        let width = SAMPLE + GAP + outline(entry.name, Weight::Regular, LABEL_SIZE).width;
        if x > place.left && x + width > place.right {
            (x, y) = (place.left, y + ROW);
        }
        let middle = y - 0.35 * LABEL_SIZE;
        let sample = [At { x: x + 2.0, y: middle }, At { x: x + SAMPLE - 2.0, y: middle }];
        canvas.line(&sample, Pen { width: 3.5, ..entry.pen });
        let at = At { x: x + SAMPLE + GAP, y };
        canvas.text(entry.name, at, label_type(Anchor::Start));
        x += width + BETWEEN;
    }
    y
}
