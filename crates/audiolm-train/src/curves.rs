//! Curves of what a stage has measured so far.

use audiolm_plot::{LineChart, Scale, Series};

use crate::{MeasuredOn, MetricsLine, Stage};

/// Lines of the log that a bold point of a training curve is the mean of.
const AVERAGED_LINES: usize = 15;

/// What a stage is judged by.
struct Curve {
    /// The name of the measure; held-out ones may add to it, as in `mel_12`.
    measure: &'static str,
    /// What it is, for people.
    label: &'static str,
}

/// The loss of a stage by steps, on batches and held-out recordings; none where nothing has been
/// measured, as by Lloyd's iterations.
pub fn loss_curves(stage: Stage, lines: &[MetricsLine]) -> Option<LineChart> {
    let curve = curve(stage);
    let train = points(lines, MeasuredOn::Train, curve.measure);
    let train = Series::new("training", train).averaged(AVERAGED_LINES);
    let held_out = held_out_names(lines, curve.measure)
        .into_iter()
        .map(|name| Series::new(title(name), points(lines, MeasuredOn::Valid, name)));
    chart(
        &format!("Training of {}", stage.name()),
        curve.label,
        [train].into_iter().chain(held_out),
    )
}

/// What discriminators and codec make of one another by steps; none without discriminators.
pub(crate) fn adversarial_curves(lines: &[MetricsLine]) -> Option<LineChart> {
    let series = [
        ("discriminator", "loss of the discriminators"),
        ("adversarial", "loss of the codec: taken for a recording"),
        ("features", "loss of the codec: distance of features"),
    ];
    let series = series.map(|(measure, name)| {
        Series::new(name, points(lines, MeasuredOn::Train, measure)).averaged(AVERAGED_LINES)
    });
    chart("Codec and discriminators", "loss", series.into_iter())
}

fn curve(stage: Stage) -> Curve {
    let (measure, label) = match stage {
        Stage::SemanticEncoder => ("prediction", "cross-entropy of masked frames, in nats"),
        Stage::Kmeans => ("inertia", "mean squared distance to the centroid"),
        Stage::Codec => ("mel", "multi-scale mel distance"),
        Stage::Semantic | Stage::Coarse | Stage::Fine => ("nll", "nats per token"),
        Stage::Parallel => ("nll", "nats per hidden code"),
    };
    Curve { measure, label }
}

fn chart(title: &str, label: &str, series: impl Iterator<Item = Series>) -> Option<LineChart> {
    let series: Vec<Series> = series.filter(|it| !it.points.is_empty()).collect();
    (!series.is_empty()).then(|| LineChart {
        title: title.into(),
        x_label: "step".into(),
        y_label: label.into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Measures;

    fn line(step: u64, on: MeasuredOn, measures: Measures) -> MetricsLine {
        MetricsLine { step, on, measures }
    }

    #[track_caller]
    fn check(chart: Option<LineChart>, expected: &[&str]) {
        let series = chart.map_or(Vec::new(), |it| it.series);
        assert_eq!(series.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_held_out_measure_of_a_curve_is_drawn() {
        let valid = Measures::default().with("mel_1", 3.0).with("mel_12", 1.0).with("wave", 0.1);
        let lines = [
            line(1, MeasuredOn::Train, Measures::default().with("mel", 2.0)),
            line(1, MeasuredOn::Valid, valid),
        ];
        let names = ["training", "held out, 1 quantizer", "held out, 12 quantizers"];
        check(loss_curves(Stage::Codec, &lines), &names);
        check(adversarial_curves(&lines), &[]);
    }

    #[test]
    fn losses_of_both_sides_are_drawn() {
        let both = Measures::default().with("discriminator", 2.0).with("features", 1.0);
        let lines = [line(1, MeasuredOn::Train, both)];
        let names = ["loss of the discriminators", "loss of the codec: distance of features"];
        check(adversarial_curves(&lines), &names);
        check(loss_curves(Stage::Codec, &lines), &[]);
    }
}
