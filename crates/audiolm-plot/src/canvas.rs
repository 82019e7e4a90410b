//! A white picture to draw lines, boxes, pixels and text on; lengths are pixels, y grows downwards.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Rect, Stroke, StrokeDash,
    Transform,
};

use crate::PlotError;
use crate::font::{Weight, outline};

/// The picture.
pub(crate) struct Canvas {
    pixels: Pixmap,
}

/// A point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct At {
    pub x: f32,
    pub y: f32,
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    pub colour: Color,
    pub width: f32,
    pub dashed: bool,
}

/// What of a text lies at the point that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
    /// The middle, with the text turned to run upwards.
    Upwards,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    pub size: f32,
    pub weight: Weight,
    pub colour: Color,
    pub anchor: Anchor,
}

impl Canvas {
    /// An empty picture.
    pub fn new(width: u32, height: u32) -> Self {
        let mut pixels = Pixmap::new(width, height).expect("pictures have a size");
        pixels.fill(Color::WHITE);
        Self { pixels }
    }

    /// A line through `points`, in one stroke. A single point shows as a dot.
    pub fn line(&mut self, points: &[At], pen: Pen) {
        let [first, rest @ ..] = points else { return };
        let mut path = PathBuilder::new();
        path.move_to(first.x, first.y);
        path.line_to(first.x, first.y);
        rest.iter().for_each(|at| path.line_to(at.x, at.y));
        let stroke = Stroke {
            width: pen.width,
            line_cap: if pen.dashed { LineCap::Butt } else { LineCap::Round },
            line_join: LineJoin::Round,
            dash: if pen.dashed { StrokeDash::new(vec![7.0, 5.0], 0.0) } else { None },
            ..Stroke::default()
        };
        if let Some(path) = path.finish() {
            let paint = paint(pen.colour);
            self.pixels.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    }

    /// A filled shape with these corners.
    pub fn fill_polygon(&mut self, corners: &[At], colour: Color) {
        let [first, rest @ ..] = corners else { return };
        let mut path = PathBuilder::new();
        path.move_to(first.x, first.y);
        rest.iter().for_each(|at| path.line_to(at.x, at.y));
        path.close();
        if let Some(path) = path.finish() {
            let (paint, place) = (paint(colour), Transform::identity());
            self.pixels.fill_path(&path, &paint, FillRule::Winding, place, None);
        }
    }

    /// Opaque pixels; `colour` is asked for each column and row of the area, from the top left.
    pub fn paint_pixels(&mut self, area: Rect, colour: impl Fn(u32, u32) -> [u8; 3]) {
        let (left, top) = (area.left() as u32, area.top() as u32);
        let picture_width = self.pixels.width();
        for row in 0..area.height() as u32 {
            for column in 0..area.width() as u32 {
                let pixel = crate::colour::rgb(colour(column, row)).premultiply().to_color_u8();
                let idx = (top + row) * picture_width + left + column;
                self.pixels.pixels_mut()[idx as usize] = pixel;
            }
        }
    }

    /// A line of text whose baseline runs through `at`. What comes back is its width.
    pub fn text(&mut self, text: &str, at: At, kind: Type) -> f32 {
        let shape = outline(text, kind.weight, kind.size);
        let back = match kind.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle | Anchor::Upwards => shape.width / 2.0,
            Anchor::End => shape.width,
        };
        let place = match kind.anchor {
            Anchor::Upwards => Transform::from_row(0.0, -1.0, 1.0, 0.0, at.x, at.y + back),
            _ => Transform::from_translate(at.x - back, at.y),
        };
        if let Some(path) = shape.path {
            self.pixels.fill_path(&path, &paint(kind.colour), FillRule::Winding, place, None);
        }
        shape.width
    }

    /// The picture as a PNG file.
    pub fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        let encoded = self.pixels.encode_png();
        encoded.map_err(|reason| PlotError::Encode { reason: reason.to_string() })
    }
}

fn paint(colour: Color) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(colour);
    paint
}
