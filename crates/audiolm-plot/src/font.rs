//! Text as outlines: the only font there is, compiled in.

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, OutlineBuilder};

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

impl Weight {
    fn face(self) -> Face<'static> {
        let bytes = match self {
            Weight::Regular => notosans::REGULAR_TTF,
            Weight::Bold => notosans::BOLD_TTF,
        };
        Face::parse(bytes, 0).expect("the font that is compiled in is sound")
    }
}

/// A line of text as a shape whose baseline starts at the origin.
pub(crate) struct Outline {
    /// The shape; none if nothing of it is visible.
    pub path: Option<Path>,
    /// How far the next text would start.
    pub width: f32,
}

/// Sets `text` in letters of `size` pixels. Characters that the font lacks show as its empty box.
pub(crate) fn outline(text: &str, weight: Weight, size: f32) -> Outline {
    let face = weight.face();
    let mut pen = Pen {
        path: PathBuilder::new(),
        x: 0.0,
        pixels_per_unit: size / f32::from(face.units_per_em()),
    };
    for character in text.chars() {
        let glyph = face.glyph_index(character).unwrap_or_default();
        face.outline_glyph(glyph, &mut pen);
        pen.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) * pen.pixels_per_unit;
    }
    Outline { path: pen.path.finish(), width: pen.x }
}

/// Draws glyphs one after the other; fonts point upwards, pictures downwards.
struct Pen {
    path: PathBuilder,
    x: f32,
    pixels_per_unit: f32,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.pixels_per_unit, -y * self.pixels_per_unit)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) =
            (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_has_width_but_no_shape() {
        let space = outline(" ", Weight::Regular, 20.0);
        assert!(space.path.is_none());
        assert!(space.width > 2.0);
    }
    #[test]
    fn bold_is_wider_than_regular() {
        let width = |weight| outline("spectrogram", weight, 20.0).width;
        assert!(width(Weight::Bold) > width(Weight::Regular));
    }
    #[test]
    fn letters_stand_on_the_baseline() {
        let bounds = outline("H", Weight::Regular, 100.0).path.unwrap().bounds();
        assert!(bounds.bottom().abs() < 1e-3 && bounds.top() < -60.0, "{bounds:?}");
    }
}
