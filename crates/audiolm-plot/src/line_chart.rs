//! Values over steps.

use std::path::Path;

use tiny_skia::Rect;

use crate::axis::{Axis, Growth};
use crate::canvas::{At, Canvas, Pen};
use crate::frame::{Frame, draw_title, draw_x_label, draw_y_label};
use crate::legend::{Entry, LegendPlace, draw_legend};
use crate::save::save_atomically;
use crate::{PlotError, colour};

/// One or several curves over a common x axis.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// What the chart shows.
    pub title: String,
    /// What x counts, with its unit.
    pub x_label: String,
    /// What y measures, with its unit.
    pub y_label: String,
    /// The curves; their names make the legend.
    pub series: Vec<Series>,
    /// How the y axis grows.
    pub scale: Scale,
}

/// How the y axis of a chart grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scale {
    /// By equal differences.
    #[default]
    Linear,
    /// By equal factors; all values are above 0.
    Log,
}

/// A named curve through points in the order they are given.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points `(x, y)`. One that is NaN or infinite leaves a gap.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub trace: Trace,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trace {
    /// Through every point.
    #[default]
    Exact,
    /// Faintly through every point, and boldly through the mean of `window` points around each.
    Averaged {
        /// How many points a mean is over, about.
        window: usize,
    },
}

impl Series {
    /// A curve through every point.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, trace: Trace::Exact }
    }

    /// The same points, with the mean of `window` of them drawn boldly: for a noisy training loss.
    pub fn averaged(self, window: usize) -> Self {
        Self { trace: Trace::Averaged { window }, ..self }
    }
}

impl LineChart {
    /// Width and height of the picture, in pixels.
    pub const SIZE: (u32, u32) = (1280, 760);

    /// The chart as a PNG file.
    pub fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        let (x, y) = self.axes()?;
        let (width, height) = (Self::SIZE.0 as f32, Self::SIZE.1 as f32);
        let (left, right, bottom) = (108.0, width - 40.0, height - 84.0);
        let mut canvas = Canvas::new(Self::SIZE.0, Self::SIZE.1);
        draw_title(&mut canvas, &self.title, left);
        let place = LegendPlace { left, right, top: 80.0 };
        let top = draw_legend(&mut canvas, &self.legend(), place) + 24.0;
        // However many names the legend has, half of the picture stays for the curves.
        let area = Rect::from_ltrb(left, top.min(height / 2.0), right, bottom);
        let frame = Frame { area: area.expect("the margins leave room"), x, y };
        frame.draw_grid(&mut canvas);
        draw_x_label(&mut canvas, &frame.area, &self.x_label);
        draw_y_label(&mut canvas, &frame.area, &self.y_label);
        for (idx, series) in self.series.iter().enumerate() {
            series.draw(&mut canvas, &frame, pen(idx));
        }
        canvas.to_png()
    }

    /// Writes the chart; a file that is there already is replaced only by a complete one.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        save_atomically(&self.to_png()?, path.as_ref())
    }

    fn legend(&self) -> Vec<Entry<'_>> {
        self.series
            .iter()
            .enumerate()
            .map(|(i, it)| Entry { name: &it.name, pen: pen(i) })
            .collect()
    }

    /// Axes that hold every point of every series.
    fn axes(&self) -> Result<(Axis, Axis), PlotError> {
        if self.series.is_empty() {
            return Err(PlotError::NoSeries { chart: self.title.clone() });
        }
        self.series.iter().try_for_each(|series| series.check(self.scale))?;
        let points = || self.series.iter().flat_map(Series::finite_points);
        let growth = match self.scale {
            Scale::Linear => Growth::Linear,
            Scale::Log => Growth::Log,
        };
        let x = range(points().map(|(x, _)| x));
        let y = range(points().map(|(_, y)| y));
        Ok((Axis::new(x.0, x.1, Growth::Linear), Axis::new(y.0, y.1, growth).with_margin(0.04)))
    }
}

/// The least and the greatest of some numbers.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)))
}

fn pen(idx: usize) -> Pen {
    Pen { colour: colour::series(idx), width: 2.5, dashed: idx >= colour::N_SERIES }
}

fn is_finite(&(x, y): &(f64, f64)) -> bool {
    x.is_finite() && y.is_finite()
}

impl Series {
    fn finite_points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.points.iter().copied().filter(is_finite)
    }

    fn check(&self, scale: Scale) -> Result<(), PlotError> {
        let series = || self.name.clone();
        if self.finite_points().next().is_none() {
            return Err(PlotError::NothingToDraw { series: series(), points: self.points.len() });
        }
        match self.finite_points().find(|&(_, value)| scale == Scale::Log && value <= 0.0) {
            Some((x, value)) => Err(PlotError::NotPositive { series: series(), x, value }),
            None => Ok(()),
        }
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Frame, pen: Pen) {
        match self.trace {
            Trace::Exact => draw_curve(canvas, frame, pen, &self.points),
            Trace::Averaged { window } => {
                let faint = Pen { colour: colour::faint(pen.colour, 0.28), width: 1.4, ..pen };
                draw_curve(canvas, frame, faint, &self.points);
                draw_curve(canvas, frame, pen, &self.means(window));
            }
        }
    }

    /// Each point with the mean of the finite points at most half a window away; near the start,
    /// where losses fall steeply, of as many after as there are before it.
    fn means(&self, window: usize) -> Vec<(f64, f64)> {
        let mean = |i: usize| {
            let reach = i.min(window / 2);
            let around = &self.points[i - reach..(i + reach + 1).min(self.points.len())];
            let near: Vec<f64> = around.iter().filter(|it| is_finite(it)).map(|it| it.1).collect();
            (self.points[i].0, near.iter().sum::<f64>() / near.len() as f64)
        };
        (0..self.points.len()).map(mean).collect()
    }
}

/// A stroke through each run of finite points.
fn draw_curve(canvas: &mut Canvas, frame: &Frame, pen: Pen, points: &[(f64, f64)]) {
    for run in points.split(|point| !is_finite(point)) {
        let places: Vec<At> = run.iter().map(|&(x, y)| frame.place(x, y)).collect();
        canvas.line(&places, pen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_means(values: &[f64], window: usize, expected: &[f64]) {
        let points = values.iter().enumerate().map(|(i, &y)| (i as f64, y)).collect();
        let means = Series::new("loss", points).means(window);
        assert_eq!(means.iter().map(|it| it.1).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn means_look_both_ways() {
        check_means(&[6.0, 3.0, 0.0, 3.0], 3, &[6.0, 3.0, 2.0, 1.5]);
    }
    #[test]
    fn a_window_of_one_is_the_series_itself() {
        check_means(&[0.0, 3.0, 6.0], 1, &[0.0, 3.0, 6.0]);
    }
    #[test]
    fn means_pass_over_values_that_are_none() {
        check_means(&[2.0, f64::NAN, 6.0], 3, &[2.0, 4.0, 6.0]);
    }
}
