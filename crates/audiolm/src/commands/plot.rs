//! `audiolm plot`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use audiolm::plot::{LineChart, Scale, Series};
use audiolm::train::{MeasuredOn, MetricsLine, Stage, read_metrics};
use clap::Args;

use super::spectrogram::Pictures;
use crate::session::Session;

/// Lines of the log that a bold point of the training curve is the mean of.
const AVERAGED_LINES: usize = 15;

/// Draw the loss curves of a training run, one picture for each stage
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PlotArgs {
    /// The folder of the run
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// The folder for the pictures [default: plots, in the folder of the run]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm plot --run runs/mine
  audiolm plot --run runs/mine -o pictures/";

/// What a stage is judged by.
struct Curve {
    /// The name of the measure; held-out ones may add to it, as in `mel_12`.
    measure: &'static str,
    /// What it is, for people.
    label: &'static str,
}

impl PlotArgs {
    /// Draws.
    pub fn run(&self, session: &Session) -> Result<()> {
        let folder = self.output.clone().unwrap_or_else(|| self.run.join("plots"));
        let pictures = draw_curves(&self.run, &folder)?;
        ensure!(
            !pictures.is_empty(),
            "{}: nothing to draw: no stage has measured anything in this folder",
            self.run.display()
        );
        session.print(&Pictures { pictures })
    }
}

/// One picture for each stage of a run that has measured anything.
pub(super) fn draw_curves(run: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for (stage, curve) in Stage::ALL.into_iter().filter_map(|it| Some((it, curve(it)?))) {
        let metrics = run.join(stage.name()).join("metrics.jsonl");
        if metrics.is_file()
            && let Some(chart) = chart(stage, &curve, &read_metrics(&metrics)?)
        {
            let path = folder.join(stage.name()).with_extension("png");
            save(&chart, &path)?;
            pictures.push(path);
        }
    }
    Ok(pictures)
}

/// Clusters have no curve.
fn curve(stage: Stage) -> Option<Curve> {
    let (measure, label) = match stage {
        Stage::SemanticEncoder => ("prediction", "cross-entropy of masked frames, in nats"),
        Stage::Kmeans => return None,
        Stage::Codec => ("mel", "multi-scale mel distance"),
        Stage::Semantic | Stage::Coarse | Stage::Fine => ("nll", "nats per token"),
    };
    Some(Curve { measure, label })
}

fn chart(stage: Stage, curve: &Curve, lines: &[MetricsLine]) -> Option<LineChart> {
    let train = points(lines, MeasuredOn::Train, curve.measure);
    let train = Series::new("training", train).averaged(AVERAGED_LINES);
    let held_out = held_out_names(lines, curve.measure)
        .into_iter()
        .map(|name| Series::new(title(name), points(lines, MeasuredOn::Valid, name)));
    let series: Vec<Series> =
        [train].into_iter().chain(held_out).filter(|it| !it.points.is_empty()).collect();
    (!series.is_empty()).then(|| LineChart {
        title: format!("Training of {}", stage.name()),
        x_label: "step".into(),
        y_label: curve.label.into(),
        series,
        scale: Scale::Linear,
    })
}

/// `mel_12` is measured on what 12 quantizers make.
fn title(measure: &str) -> String {
    match measure.split_once('_') {
        None => "held out".to_owned(),
        Some((_, "1")) => "held out, 1 quantizer".to_owned(),
        Some((_, n)) => format!("held out, {n} quantizers"),
    }
}

/// The measures of held-out recordings that belong to a curve.
fn held_out_names<'a>(lines: &'a [MetricsLine], measure: &str) -> Vec<&'a str> {
    let is_meant = |name: &str| name.split('_').next() == Some(measure);
    let first = lines.iter().find(|it| it.on == MeasuredOn::Valid);
    let names = first.into_iter().flat_map(|it| it.measures.iter()).map(|it| it.0);
    names.filter(|it| is_meant(it)).collect()
}

fn points(lines: &[MetricsLine], on: MeasuredOn, measure: &str) -> Vec<(f64, f64)> {
    let measured = lines.iter().filter(|it| it.on == on);
    measured.filter_map(|it| Some((it.step as f64, it.measures.get(measure)?))).collect()
}

fn save(chart: &LineChart, path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    Ok(chart.save(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm::train::Measures;

    #[test]
    fn every_held_out_measure_of_a_curve_is_drawn() {
        let line = |step, on, measures| MetricsLine { step, on, measures };
        let (train, valid) = (Measures::default().with("mel", 2.0), Measures::default());
        let valid = valid.with("mel_1", 3.0).with("mel_12", 1.0).with("wave", 0.1);
        let lines = [line(1, MeasuredOn::Train, train), line(1, MeasuredOn::Valid, valid)];
        let chart = chart(Stage::Codec, &curve(Stage::Codec).unwrap(), &lines).unwrap();
        let names: Vec<&str> = chart.series.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["training", "held out, 1 quantizer", "held out, 12 quantizers"]);
    }
}
