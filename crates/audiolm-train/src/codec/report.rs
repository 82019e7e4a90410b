//! A page that shows how a codec in training sounds and looks: `report/index.html`.

use std::fs;
use std::path::Path;

use audiolm_audio::Clip;
use audiolm_codec::SoundStream;
use audiolm_plot::{FrequencyScale, LineChart, Panel, Scale, Series, Spectrogram};
use burn::prelude::*;

use super::crops::{Crops, Excerpt};
use crate::curves::{adversarial_curves, loss_curves};
use crate::whole_folder::replace_folder;
use crate::{MeasuredOn, Measures, MetricsLine, Stage, TrainError};

/// Held-out recordings that are shown.
const EXCERPTS: usize = 4;
/// As much of each.
const SECONDS: f64 = 4.0;

/// Writes the page and what it shows into a folder of a stage, in place of an earlier one.
pub(crate) fn write(
    folder: &Path,
    codec: &SoundStream,
    crops: &Crops<'_>,
    lines: &[MetricsLine],
    device: &Device,
) -> Result<(), TrainError> {
    let excerpts = crops.excerpts(EXCERPTS, SECONDS)?;
    replace_folder(&folder.join("report"), |report| {
        let mut page = Page::default();
        page.measures(lines);
        page.charts(report, lines)?;
        for (index, excerpt) in excerpts.iter().enumerate() {
            let after = reconstructed(codec, &excerpt.samples, device);
            page.excerpt(
                report,
                index + 1,
                &Comparison { excerpt, after, rate_hz: crops.rate_hz() },
            )?;
        }
        let path = report.join("index.html");
        fs::write(&path, page.html()).map_err(TrainError::io(&path))
    })
}

/// A recording and what all quantizers make of it.
struct Comparison<'a> {
    excerpt: &'a Excerpt,
    after: Vec<f32>,
    rate_hz: u32,
}

fn reconstructed(codec: &SoundStream, samples: &[f32], device: &Device) -> Vec<f32> {
    let wave = Tensor::<1>::from_floats(samples, device).unsqueeze();
    let mut after: Vec<f32> = codec.decode(codec.encode(wave)).into_data().iter().collect();
    after.truncate(samples.len());
    after
}

/// What has been put on the page so far.
#[derive(Default)]
struct Page(String);

impl Page {
    /// The latest measures of held-out recordings, those of single quantizers apart.
    fn measures(&mut self, lines: &[MetricsLine]) {
        let Some(last) = lines.iter().rfind(|it| it.on == MeasuredOn::Valid) else { return };
        let rollbacks = lines.iter().filter(|it| it.on == MeasuredOn::Rollback).count();
        let of_one = |name: &str| name.starts_with("usage_") || name.starts_with("perplexity_");
        let shown = last.measures.iter().filter(|it| !of_one(it.0));
        let rows: String =
            shown.map(|it| format!("<tr><td>{}</td><td>{:.4}</td></tr>\n", it.0, it.1)).collect();
        self.0 += &format!(
            "<p>Step {}; returns to a checkpoint so far: {rollbacks}.</p>\n<table>\n{rows}</table>\n",
            last.step
        );
    }

    fn charts(&mut self, report: &Path, lines: &[MetricsLine]) -> Result<(), TrainError> {
        let charts = [
            ("loss.png", loss_curves(Stage::Codec, lines)),
            ("discriminators.png", adversarial_curves(lines)),
            ("codebooks.png", codebook_curves(lines)),
        ];
        for (name, chart) in charts {
            if let Some(chart) = chart {
                chart.save(report.join(name))?;
                self.0 += &format!("<img src=\"{name}\" alt=\"{}\">\n", escaped(&chart.title));
            }
        }
        Ok(())
    }

    fn excerpt(
        &mut self,
        report: &Path,
        number: usize,
        compared: &Comparison<'_>,
    ) -> Result<(), TrainError> {
        let Comparison { excerpt, after, rate_hz } = compared;
        let sides = [("before", &excerpt.samples), ("after", after)];
        let mut players = String::new();
        for (side, samples) in sides {
            let name = format!("{number}-{side}.wav");
            let clip = Clip { samples: samples.clone(), sample_rate_hz: *rate_hz };
            clip.write_wav(report.join(&name))?;
            players += &format!("<p>{side} <audio controls src=\"{name}\"></audio></p>\n");
        }
        let panel = |(side, samples): (&str, &Vec<f32>)| Panel {
            title: side.to_owned(),
            samples: samples.clone(),
            sample_rate_hz: *rate_hz,
        };
        let picture = format!("{number}.png");
        let title = excerpt.name.clone();
        let panels = sides.map(panel).into();
        Spectrogram { title, panels, scale: FrequencyScale::Mel }.save(report.join(&picture))?;
        let title = escaped(&excerpt.name);
        self.0 += &format!("<h2>{title}</h2>\n{players}<img src=\"{picture}\" alt=\"{title}\">\n");
        Ok(())
    }

    fn html(&self) -> String {
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Codec</title>\n\
             <style>body {{ font: 16px sans-serif; max-width: 1280px; margin: 2em auto; }} \
             img {{ width: 100%; }} td {{ padding-right: 2em; }}</style>\n<h1>Codec</h1>\n{}</html>\n",
            self.0
        )
    }
}

/// How evenly each codebook is used, by its number.
fn codebook_curves(lines: &[MetricsLine]) -> Option<LineChart> {
    let last = lines.iter().rfind(|it| it.on == MeasuredOn::Valid)?;
    let series = Series::new("perplexity", by_quantizer(&last.measures, "perplexity"));
    (!series.points.is_empty()).then(|| LineChart {
        title: format!("Use of codebooks after step {}", last.step),
        x_label: "quantizer".into(),
        y_label: "perplexity: equally frequent codes of the same entropy".into(),
        series: vec![series],
        scale: Scale::Linear,
    })
}

fn by_quantizer(measures: &Measures, name: &str) -> Vec<(f64, f64)> {
    let of = |number: usize| measures.get(&format!("{name}_{number}"));
    (1..).map_while(|number| Some((number as f64, of(number)?))).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_page() {
        assert_eq!(escaped("a<b> & \"c\""), "a&lt;b> &amp; &quot;c&quot;");
    }

    #[test]
    fn quantizers_come_in_their_order() {
        let measures = (1..=11).fold(Measures::default(), |it, n| {
            it.with(&format!("perplexity_{n}"), f64::from(n) / 2.0)
        });
        let points = by_quantizer(&measures, "perplexity");
        assert_eq!(points.len(), 11);
        assert_eq!(points[10], (11.0, 5.5));
    }
}
