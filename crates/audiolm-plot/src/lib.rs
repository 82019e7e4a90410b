//! Pictures of training runs, clips and codebooks, as PNG files.
//!
//! Three pictures: [`LineChart`] for losses over steps, [`Spectrogram`] for clips one above the
//! other, [`CodebookChart`] for how often codes occur. Each is a value with public fields that
//! knows how to [`save`](LineChart::save) itself; the same value always gives the same bytes.
//!
//! Everything is drawn in Rust, the text too: the font (Noto Sans, under the SIL Open Font Licence)
//! is compiled in, so no system library and no installed font is needed. This crate knows no clip,
//! no token and no model: it takes slices of numbers.
//!
//! ```
//! use audiolm_plot::{LineChart, Scale, Series};
//!
//! let loss = |step: f64| 0.4 + 3.0 * (-step / 800.0).exp();
//! let points = (0..3000).step_by(100).map(|step| (step as f64, loss(step as f64))).collect();
//! let chart = LineChart {
//!     title: "Coarse stage".into(),
//!     x_label: "step".into(),
//!     y_label: "cross-entropy in nats".into(),
//!     series: vec![Series::new("training", points)],
//!     scale: Scale::Log,
//! };
//! let png = chart.to_png()?;
//! assert_eq!(&png[1..4], b"PNG");
//! # Ok::<(), audiolm_plot::PlotError>(())
//! ```

mod axis;
mod canvas;
mod codebook_chart;
mod colour;
mod error;
mod font;
mod frame;
mod legend;
mod line_chart;
mod save;
mod spectrogram;

pub use codebook_chart::{CodebookChart, Order};
pub use error::PlotError;
pub use line_chart::{LineChart, Scale, Series, Trace};
pub use spectrogram::{FrequencyScale, Panel, Spectrogram};
