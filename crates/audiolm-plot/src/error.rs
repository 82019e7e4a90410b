//! Why a picture cannot be drawn or stored.

use std::path::PathBuf;

/// What is wrong with the numbers, or with the place to write them to.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// A chart without a series.
    #[error("chart {chart:?} has no series")]
    NoSeries {
        /// The title.
        chart: String,
    },
    /// A series without a point that could be drawn.
    #[error("series {series:?} has {points} points and none of them is finite")]
    NothingToDraw {
        /// The name of the series.
        series: String,
        /// How many points it has, all of them NaN or infinite.
        points: usize,
    },
    /// A value that has no logarithm.
    #[error(
        "series {series:?} has the value {value} at {x}, expected above 0 on a logarithmic scale"
    )]
    NotPositive {
        /// The name of the series.
        series: String,
        /// Where the first such value is.
        x: f64,
        /// The value.
        value: f64,
    },
    /// A spectrogram without clips.
    #[error("the spectrogram has no panels")]
    NoPanels,
    /// A clip that cannot be analysed.
    #[error("clip {clip:?} has {samples} samples at {sample_rate_hz} Hz, expected both above 0")]
    EmptyClip {
        /// The title of its panel.
        clip: String,
        /// How many samples it has.
        samples: usize,
        /// Its sampling rate.
        sample_rate_hz: u32,
    },
    /// A clip with a sample that is no number, or infinite.
    #[error("sample {sample_idx} of clip {clip:?} is {value}, expected a finite number")]
    NotFinite {
        /// The title of its panel.
        clip: String,
        /// Position of the first such sample.
        sample_idx: usize,
        /// Its value.
        value: f32,
    },
    /// A codebook without codes, or of which none occurs.
    #[error("chart {chart:?} counts {codes} codes, and none of them occurs")]
    NoCounts {
        /// The title.
        chart: String,
        /// The size of the codebook.
        codes: usize,
    },
    /// The picture could not be encoded.
    #[error("the picture could not be encoded as PNG")]
    Encode {
        /// Why not.
        reason: String,
    },
    /// The picture could not be written.
    #[error("{path}: the picture could not be written", path = path.display())]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}
