//! One of each picture, of made-up numbers: `cargo run -p audiolm-plot --example gallery FOLDER`.

use std::f64::consts::TAU;
use std::path::PathBuf;

use audiolm_plot::{
    CodebookChart, FrequencyScale, LineChart, Order, Panel, PlotError, Scale, Series, Spectrogram,
};

fn main() -> Result<(), PlotError> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    losses(Scale::Linear).save(folder.join("losses.png"))?;
    losses(Scale::Log).save(folder.join("losses_log.png"))?;
    resynthesis(FrequencyScale::Mel).save(folder.join("spectrogram.png"))?;
    resynthesis(FrequencyScale::Linear).save(folder.join("spectrogram_linear.png"))?;
    usage(Order::ByFrequency, 1024).save(folder.join("codebook.png"))?;
    usage(Order::ById, 64).save(folder.join("codebook_by_id.png"))
}

fn losses(scale: Scale) -> LineChart {
    let curve = |floor: f64, noise: f64, every: usize| -> Vec<(f64, f64)> {
        let value =
            |step: f64| floor + 4.2 * (1.0 + step / 300.0).powf(-0.8) + noise * wobble(step);
        (0..20_000).step_by(every).map(|step| (step as f64, value(step as f64))).collect()
    };
    LineChart {
        title: "Coarse stage, 20 hours of speech".into(),
        x_label: "step".into(),
        y_label: "cross-entropy, nats per token".into(),
        series: vec![
            Series::new("training", curve(0.9, 0.16, 20)).averaged(25),
            Series::new("validation", curve(1.15, 0.012, 1000)),
            Series::new("bigram baseline", vec![(0.0, 2.61), (19_980.0, 2.61)]),
        ],
        scale,
    }
}

/// Noise between -1 and 1 that is the same each time.
fn wobble(step: f64) -> f64 {
    2.0 * ((step * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0) - 1.0
}

fn resynthesis(scale: FrequencyScale) -> Spectrogram {
    let original = voice();
    let degraded = original.windows(3).map(|near| near.iter().sum::<f32>() / 3.0).collect();
    let panel =
        |title: &str, samples| Panel { title: title.into(), samples, sample_rate_hz: 16_000 };
    Spectrogram {
        title: "Codec at 2 kbit/s".into(),
        panels: vec![panel("original", original), panel("resynthesis", degraded)],
        scale,
    }
}

/// Two seconds of a gliding, vowel-like sound in syllables, with a breath of noise.
fn voice() -> Vec<f32> {
    let sample = |i: i32| {
        let t = f64::from(i) / 16_000.0;
        let phase = TAU * (140.0 * t + 6.0 * (TAU * 0.6 * t).sin());
        let formant = 900.0 + 500.0 * (TAU * 0.9 * t).sin();
        let weight = |hz: f64| 1.0 / (1.0 + ((hz - formant) / 250.0).powi(2)) + 0.02;
        let harmonics: f64 =
            (1..40).map(f64::from).map(|h| weight(140.0 * h) * (h * phase).sin()).sum();
        let syllable = (TAU * 1.7 * t).sin().max(0.0).sqrt();
        (0.2 * syllable * harmonics + 0.004 * wobble(t * 16_000.0)) as f32
    };
    (0..32_000).map(sample).collect()
}

fn usage(order: Order, n_codes: u32) -> CodebookChart {
    let count = |code: u32| {
        let frequency = 900.0 * (-f64::from(code) / f64::from(n_codes) * 4.0).exp();
        (frequency * (1.0 + 0.3 * wobble(f64::from(code)))) as u64 * u64::from(code % 29 != 3)
    };
    CodebookChart {
        title: "Quantizer 1 of 8".into(),
        counts: (0..n_codes).map(|i| count(i * 7919 % n_codes)).collect(),
        order,
    }
}
