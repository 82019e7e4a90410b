//! What every chart has around its data: title, grid, axes and labels.

use tiny_skia::Rect;

use crate::axis::{Axis, Tick};
use crate::canvas::{Anchor, At, Canvas, Pen, Type};
use crate::colour;
use crate::font::Weight;

/// Letters of titles, labels and tick labels.
pub(crate) const TITLE_SIZE: f32 = 25.0;
pub(crate) const LABEL_SIZE: f32 = 17.0;
pub(crate) const TICK_SIZE: f32 = 15.5;

/// The part of a picture that shows data, between two axes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub area: Rect,
    pub x: Axis,
    pub y: Axis,
}

impl Frame {
    /// The place of a point of data.
    pub fn place(&self, x: f64, y: f64) -> At {
        At { x: self.column(x), y: self.row(y) }
    }

    /// Horizontal grid lines and both axes, with their tick labels.
    pub fn draw_grid(&self, canvas: &mut Canvas) {
        let pen = |colour| Pen { colour, width: 1.0, dashed: false };
        for tick in self.y.ticks(6) {
            let row = self.row(tick.value).round() + 0.5;
            canvas.line(&self.across(row), pen(colour::grid()));
        }
        let bottom = self.area.bottom().round() + 0.5;
        canvas.line(&self.across(bottom), pen(colour::axis()));
        draw_y_ticks(canvas, &self.area, self.y.ticks(6).iter().map(|it| (self.row(it.value), it)));
        self.draw_x_ticks(canvas);
    }

    /// Tick labels under the x axis, each with a short mark.
    pub fn draw_x_ticks(&self, canvas: &mut Canvas) {
        let bottom = self.area.bottom();
        for tick in self.x.ticks(8) {
            let x = self.column(tick.value).round() + 0.5;
            let pen = Pen { colour: colour::axis(), width: 1.0, dashed: false };
            canvas.line(&[At { x, y: bottom + 1.0 }, At { x, y: bottom + 6.0 }], pen);
            canvas.text(&tick.label, At { x, y: bottom + 25.0 }, tick_type(Anchor::Middle));
        }
    }

    fn column(&self, x: f64) -> f32 {
        self.area.left() + self.x.fraction(x) * self.area.width()
    }

    fn row(&self, y: f64) -> f32 {
        self.area.bottom() - self.y.fraction(y) * self.area.height()
    }

    fn across(&self, y: f32) -> [At; 2] {
        [At { x: self.area.left(), y }, At { x: self.area.right(), y }]
    }
}

/// Tick labels left of an area, at the rows they come with.
pub(crate) fn draw_y_ticks<'a>(
    canvas: &mut Canvas,
    area: &Rect,
    ticks: impl Iterator<Item = (f32, &'a Tick)>,
) {
    for (row, tick) in ticks {
        let at = At { x: area.left() - 11.0, y: row + 0.36 * TICK_SIZE };
        canvas.text(&tick.label, at, tick_type(Anchor::End));
    }
}

/// The title at the top left of a picture.
pub(crate) fn draw_title(canvas: &mut Canvas, title: &str, left: f32) {
    let kind = Type {
        size: TITLE_SIZE,
        weight: Weight::Bold,
        colour: colour::ink(),
        anchor: Anchor::Start,
    };
    canvas.text(title, At { x: left, y: 46.0 }, kind);
}

/// The label below an area's tick labels.
pub(crate) fn draw_x_label(canvas: &mut Canvas, area: &Rect, label: &str) {
    let at = At { x: (area.left() + area.right()) / 2.0, y: area.bottom() + 57.0 };
    canvas.text(label, at, label_type(Anchor::Middle));
}

/// The label left of an area's tick labels, running upwards.
pub(crate) fn draw_y_label(canvas: &mut Canvas, area: &Rect, label: &str) {
    let at = At { x: 34.0, y: (area.top() + area.bottom()) / 2.0 };
    canvas.text(label, at, label_type(Anchor::Upwards));
}

/// Letters of axis labels and legends.
pub(crate) fn label_type(anchor: Anchor) -> Type {
    Type { size: LABEL_SIZE, weight: Weight::Regular, colour: colour::quiet_ink(), anchor }
}

/// Letters of tick labels.
pub(crate) fn tick_type(anchor: Anchor) -> Type {
    Type { size: TICK_SIZE, ..label_type(anchor) }
}
