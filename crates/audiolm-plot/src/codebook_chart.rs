//! How often each code of a codebook occurs.

use std::path::Path;

use tiny_skia::Rect;

use crate::axis::{Axis, Growth};
use crate::canvas::{At, Canvas, Pen};
use crate::frame::{Frame, draw_title, draw_x_label, draw_y_label};
use crate::legend::{Entry, LegendPlace, draw_legend};
use crate::save::save_atomically;
use crate::{PlotError, colour};

/// A bar for each code, and a line where all bars would end if codes were equally frequent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodebookChart {
    /// What the chart shows.
    pub title: String,
    /// Occurrences of each code.
    pub counts: Vec<u64>,
    /// The order of the bars.
    pub order: Order,
}

/// The order of the bars of a [`CodebookChart`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Codes by their ids.
    ById,
    /// The most frequent first: its slope shows how evenly a codebook is used.
    #[default]
    ByFrequency,
}

impl CodebookChart {
    /// Width and height of the picture, in pixels.
    pub const SIZE: (u32, u32) = (1280, 640);

    /// The chart as a PNG file.
    pub fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        let counts = self.ordered_counts()?;
        let equal = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
        let most = counts.iter().copied().max().unwrap_or_default() as f64;
        let mut canvas = Canvas::new(Self::SIZE.0, Self::SIZE.1);
        let frame = Frame {
            area: Rect::from_ltrb(
                108.0,
                104.0,
                Self::SIZE.0 as f32 - 40.0,
                Self::SIZE.1 as f32 - 84.0,
            )
            .expect("the margins leave room"),
            x: Axis::new(0.0, counts.len() as f64, Growth::Linear),
            y: Axis::new(0.0, 1.05 * most, Growth::Linear),
        };
        draw_title(&mut canvas, &self.title, frame.area.left());
        frame.draw_grid(&mut canvas);
        draw_bars(&mut canvas, &frame, &counts);
        canvas
            .line(&[frame.place(0.0, equal), frame.place(counts.len() as f64, equal)], equal_pen());
        draw_explanation(&mut canvas, &frame.area, &counts);
        draw_x_label(&mut canvas, &frame.area, self.order.label());
        draw_y_label(&mut canvas, &frame.area, "occurrences");
        canvas.to_png()
    }

    /// Writes the chart; a file that is there already is replaced only by a complete one.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        save_atomically(&self.to_png()?, path.as_ref())
    }

    fn ordered_counts(&self) -> Result<Vec<u64>, PlotError> {
        if self.counts.iter().all(|&count| count == 0) {
            let (chart, codes) = (self.title.clone(), self.counts.len());
            return Err(PlotError::NoCounts { chart, codes });
        }
        let mut counts = self.counts.clone();
        if self.order == Order::ByFrequency {
            counts.sort_unstable_by(|a, b| b.cmp(a));
        }
        Ok(counts)
    }
}

impl Order {
    fn label(self) -> &'static str {
        match self {
            Order::ById => "code",
            Order::ByFrequency => "codes, most frequent first",
        }
    }
}

/// Narrower than this, bars stand side by side without a gap.
const GAP_FROM_PIXELS: f32 = 5.0;

/// Bars from the axis upwards. All are one shape, so that bars thinner than a pixel show no seams.
fn draw_bars(canvas: &mut Canvas, frame: &Frame, counts: &[u64]) {
    let bar_width = frame.area.width() / counts.len() as f32;
    let gap = if bar_width >= GAP_FROM_PIXELS { 0.12 } else { 0.0 };
    let corners = |(idx, &count): (usize, &u64)| {
        let (left, right, top) = (idx as f64 + gap, (idx + 1) as f64 - gap, count as f64);
        [(left, 0.0), (left, top), (right, top), (right, 0.0)].map(|(x, y)| frame.place(x, y))
    };
    let outline: Vec<At> = counts.iter().enumerate().flat_map(corners).collect();
    canvas.fill_polygon(&outline, colour::series(0));
}

fn equal_pen() -> Pen {
    Pen { colour: colour::series(1), width: 2.0, dashed: true }
}

fn draw_explanation(canvas: &mut Canvas, area: &Rect, counts: &[u64]) {
    let used = counts.iter().filter(|&&count| count > 0).count();
    let bars = format!("{used} of {} codes in use", counts.len());
    let pen = Pen { colour: colour::series(0), width: 2.0, dashed: false };
    let entries =
        [Entry { name: &bars, pen }, Entry { name: "equal use of all codes", pen: equal_pen() }];
    let place = LegendPlace { left: area.left(), right: area.right(), top: 80.0 };
    draw_legend(canvas, &entries, place);
}
