//! Clips as pictures of their frequencies over time, one above the other.

mod analysis;

use std::path::Path;

use tiny_skia::Rect;

use crate::axis::{Axis, Growth, Tick};
use crate::canvas::{Anchor, At, Canvas, Type};
use crate::font::Weight;
use crate::frame::{
    Frame, LABEL_SIZE, draw_title, draw_x_label, draw_y_label, draw_y_ticks, tick_type,
};
use crate::save::save_atomically;
use crate::{PlotError, colour};
use analysis::{Picture, analyse};

/// Loudness from here to the loudest place of all clips has colours; below it all is black.
const RANGE_DB: f32 = 80.0;
/// The loudest place is taken to be at least this loud, so that silence is black and not bright.
const QUIETEST_DB: f32 = -60.0;
/// Pixels of a panel, and what lies around the panels.
const PANEL_HEIGHT: u32 = 250;
const PANEL_TITLE: u32 = 46;
const PANEL_TICKS: u32 = 34;
const TOP: u32 = 62;
const BOTTOM: u32 = 46;

/// Spectrograms of several clips that share their axes and colours, so that they can be compared:
/// a recording above its resynthesis, for example.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrogram {
    /// What the picture shows.
    pub title: String,
    /// The clips, from top to bottom.
    pub panels: Vec<Panel>,
    /// How the frequency axis grows.
    pub scale: FrequencyScale,
}

/// One clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What is heard.
    pub title: String,
    /// The wave.
    pub samples: Vec<f32>,
    /// Its sampling rate. Panels of lower rates stay empty above half of it.
    pub sample_rate_hz: u32,
}

/// How a frequency axis grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FrequencyScale {
    /// By equal differences in hertz.
    Linear,
    /// By equal differences in pitch as heard, on the HTK mel scale.
    #[default]
    Mel,
}

impl Spectrogram {
    /// Width and height of a picture of so many panels, in pixels.
    pub const fn size(n_panels: usize) -> (u32, u32) {
        (1280, TOP + n_panels as u32 * (PANEL_TITLE + PANEL_HEIGHT + PANEL_TICKS) + BOTTOM)
    }

    /// The picture as a PNG file.
    pub fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        self.check()?;
        let size = Self::size(self.panels.len());
        let mut canvas = Canvas::new(size.0, size.1);
        let view = self.view();
        let areas: Vec<Rect> = (0..self.panels.len()).map(panel_area).collect();
        let pictures: Vec<Picture> =
            self.panels.iter().map(|panel| analyse(panel, &view)).collect();
        let loudest = pictures.iter().map(Picture::loudest_db).fold(QUIETEST_DB, f32::max);
        draw_title(&mut canvas, &self.title, areas[0].left());
        for ((panel, picture), area) in self.panels.iter().zip(&pictures).zip(&areas) {
            draw_panel_title(&mut canvas, area, &panel.title);
            canvas.paint_pixels(*area, |column, row| pixel(picture.db(column, row), loudest));
            view.draw_axes(&mut canvas, area);
        }
        draw_x_label(&mut canvas, &areas[areas.len() - 1], "seconds");
        draw_colour_bar(&mut canvas, &areas[0]);
        canvas.to_png()
    }

    /// Writes the picture; a file that is there already is replaced only by a complete one.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        save_atomically(&self.to_png()?, path.as_ref())
    }

    fn check(&self) -> Result<(), PlotError> {
        if self.panels.is_empty() {
            return Err(PlotError::NoPanels);
        }
        self.panels.iter().try_for_each(Panel::check)
    }

    /// What all panels show: the longest clip's time, the highest rate's frequencies.
    fn view(&self) -> View {
        let seconds = self.panels.iter().map(Panel::seconds).fold(0.0, f64::max);
        let rate = self.panels.iter().map(|panel| panel.sample_rate_hz).max().unwrap_or_default();
        let area = panel_area(0);
        View {
            seconds,
            highest_hz: f64::from(rate) / 2.0,
            scale: self.scale,
            columns: area.width() as u32,
            rows: area.height() as u32,
        }
    }
}

impl Panel {
    fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }

    fn check(&self) -> Result<(), PlotError> {
        let (clip, samples) = (self.title.clone(), self.samples.len());
        if samples == 0 || self.sample_rate_hz == 0 {
            return Err(PlotError::EmptyClip {
                clip,
                samples,
                sample_rate_hz: self.sample_rate_hz,
            });
        }
        match self.samples.iter().position(|sample| !sample.is_finite()) {
            Some(sample_idx) => {
                let value = self.samples[sample_idx];
                Err(PlotError::NotFinite { clip, sample_idx, value })
            }
            None => Ok(()),
        }
    }
}

/// The time and the frequencies of a panel, and the pixels they are spread over.
struct View {
    seconds: f64,
    highest_hz: f64,
    scale: FrequencyScale,
    columns: u32,
    rows: u32,
}

impl View {
    /// The frequency at a height of a panel, from 0 at the bottom to 1 at the top.
    fn hz_at(&self, height: f64) -> f64 {
        match self.scale {
            FrequencyScale::Linear => height * self.highest_hz,
            FrequencyScale::Mel => mel_to_hz(height * hz_to_mel(self.highest_hz)),
        }
    }

    fn height_of(&self, hz: f64) -> f64 {
        match self.scale {
            FrequencyScale::Linear => hz / self.highest_hz,
            FrequencyScale::Mel => hz_to_mel(hz) / hz_to_mel(self.highest_hz),
        }
    }

    fn draw_axes(&self, canvas: &mut Canvas, area: &Rect) {
        let ticks = self.frequency_ticks();
        let row = |hz: f64| area.bottom() - self.height_of(hz) as f32 * area.height();
        draw_y_ticks(canvas, area, ticks.iter().map(|tick| (row(1000.0 * tick.value), tick)));
        draw_y_label(canvas, area, "kHz");
        let time = Axis::new(0.0, self.seconds, Growth::Linear);
        Frame { area: *area, x: time, y: time }.draw_x_ticks(canvas);
    }

    /// Round frequencies in kilohertz; on the mel scale, octaves.
    fn frequency_ticks(&self) -> Vec<Tick> {
        let highest = self.highest_hz / 1000.0;
        match self.scale {
            FrequencyScale::Linear => Axis::new(0.0, highest, Growth::Linear).ticks(5),
            FrequencyScale::Mel => {
                let octaves = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0].into_iter();
                let tick = |value: f64| Tick { value, label: value.to_string() };
                octaves.filter(|&khz| khz <= highest).map(tick).collect()
            }
        }
    }
}

fn hz_to_mel(hz: f64) -> f64 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

fn mel_to_hz(mel: f64) -> f64 {
    700.0 * (10f64.powf(mel / 2595.0) - 1.0)
}

fn panel_area(idx: usize) -> Rect {
    let top = TOP + idx as u32 * (PANEL_TITLE + PANEL_HEIGHT + PANEL_TICKS) + PANEL_TITLE;
    let (left, right) = (108.0, Spectrogram::size(1).0 as f32 - 132.0);
    let area = Rect::from_ltrb(left, top as f32, right, (top + PANEL_HEIGHT) as f32);
    area.expect("the margins leave room")
}

fn draw_panel_title(canvas: &mut Canvas, area: &Rect, title: &str) {
    let kind = Type {
        size: LABEL_SIZE,
        weight: Weight::Bold,
        colour: colour::quiet_ink(),
        anchor: Anchor::Start,
    };
    canvas.text(title, At { x: area.left(), y: area.top() - 12.0 }, kind);
}

/// The colour of a loudness; where a clip has none, it has ended or holds no such frequency.
fn pixel(db: Option<f32>, loudest_db: f32) -> [u8; 3] {
    match db {
        Some(db) => colour::magma(1.0 + (db - loudest_db) / RANGE_DB),
        None => colour::absent(),
    }
}

/// What the colours mean, right of the first panel.
fn draw_colour_bar(canvas: &mut Canvas, panel: &Rect) {
    let left = panel.right() + 26.0;
    let bar = Rect::from_ltrb(left, panel.top(), left + 18.0, panel.bottom());
    let bar = bar.expect("the margins leave room");
    canvas.paint_pixels(bar, |_, row| colour::magma(1.0 - row as f32 / (bar.height() - 1.0)));
    for tick in Axis::new(-f64::from(RANGE_DB), 0.0, Growth::Linear).ticks(4) {
        let y = bar.top() - tick.value as f32 / RANGE_DB * bar.height() + 5.5;
        canvas.text(&tick.label, At { x: bar.right() + 9.0, y }, tick_type(Anchor::Start));
    }
    let at = At { x: bar.left(), y: bar.top() - 14.0 };
    canvas.text("dB", at, tick_type(Anchor::Start));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_there_and_back(scale: FrequencyScale) {
        let view = View { seconds: 1.0, highest_hz: 8000.0, scale, columns: 10, rows: 10 };
        for hz in [0.0, 440.0, 8000.0] {
            assert!((view.hz_at(view.height_of(hz)) - hz).abs() < 1e-6);
        }
    }

    #[test]
    fn linear_heights_lead_back() {
        check_there_and_back(FrequencyScale::Linear);
    }
    #[test]
    fn mel_heights_lead_back() {
        check_there_and_back(FrequencyScale::Mel);
    }
}
