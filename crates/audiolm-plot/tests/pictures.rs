//! Pictures are PNG files of the size they announce, the same each time, or named errors.

use audiolm_plot::{
    CodebookChart, FrequencyScale, LineChart, Order, Panel, PlotError, Scale, Series, Spectrogram,
};

#[track_caller]
fn check_png(png: Result<Vec<u8>, PlotError>, (width, height): (u32, u32)) {
    let png = png.expect("a picture");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(&png[12..16], b"IHDR");
    assert_eq!((number(16), number(20)), (width, height));
    assert_eq!(&png[png.len() - 8..png.len() - 4], b"IEND");
}

#[track_caller]
fn check_error(png: Result<Vec<u8>, PlotError>, expected: &str) {
    assert_eq!(png.expect_err("no picture").to_string(), expected);
}

fn chart(series: Vec<Series>, scale: Scale) -> LineChart {
    let (title, x_label, y_label) = ("Loss".into(), "step".into(), "nats".into());
    LineChart { title, x_label, y_label, series, scale }
}

fn curve(values: &[f64]) -> Series {
    let points = values.iter().enumerate().map(|(step, &value)| (step as f64, value)).collect();
    Series::new("training", points)
}

fn spectrogram(panels: Vec<Panel>, scale: FrequencyScale) -> Spectrogram {
    Spectrogram { title: "Resynthesis".into(), panels, scale }
}

fn clip(n_samples: usize, sample_rate_hz: u32) -> Panel {
    let samples = (0..n_samples).map(|i| (i as f32 * 0.2).sin()).collect();
    Panel { title: "prompt".into(), samples, sample_rate_hz }
}

fn usage(counts: Vec<u64>, order: Order) -> CodebookChart {
    CodebookChart { title: "Quantizer 1".into(), counts, order }
}

#[test]
fn a_linear_chart_is_a_png() {
    check_png(chart(vec![curve(&[3.0, 2.0, 1.5])], Scale::Linear).to_png(), LineChart::SIZE);
}
#[test]
fn a_logarithmic_chart_is_a_png() {
    check_png(chart(vec![curve(&[30.0, 2.0, 0.15])], Scale::Log).to_png(), LineChart::SIZE);
}
#[test]
fn one_point_is_enough() {
    check_png(chart(vec![curve(&[0.0])], Scale::Linear).to_png(), LineChart::SIZE);
}
#[test]
fn more_series_than_colours_are_drawn() {
    let series = vec![curve(&[2.0, 1.0]).averaged(3); 40];
    check_png(chart(series, Scale::Linear).to_png(), LineChart::SIZE);
}
#[test]
fn values_that_are_no_numbers_leave_a_gap() {
    let with_gap = chart(vec![curve(&[3.0, f64::NAN, 1.5, f64::INFINITY])], Scale::Log);
    check_png(with_gap.to_png(), LineChart::SIZE);
}
#[test]
fn two_panels_of_different_rates_are_a_png() {
    let panels = vec![clip(1600, 16_000), clip(2400, 24_000)];
    let picture = spectrogram(panels, FrequencyScale::Mel);
    check_png(picture.to_png(), Spectrogram::size(2));
}
#[test]
fn a_clip_of_one_sample_is_a_png() {
    let picture = spectrogram(vec![clip(1, 16_000)], FrequencyScale::Linear);
    check_png(picture.to_png(), Spectrogram::size(1));
}
#[test]
fn a_codebook_by_id_is_a_png() {
    check_png(usage(vec![3, 0, 9, 1], Order::ById).to_png(), CodebookChart::SIZE);
}
#[test]
fn more_codes_than_pixels_are_drawn() {
    check_png(usage((0..4096).collect(), Order::ByFrequency).to_png(), CodebookChart::SIZE);
}

#[test]
fn the_same_chart_has_the_same_bytes() {
    let chart = chart(vec![curve(&[3.0, 2.0, 1.5])], Scale::Log);
    assert_eq!(chart.to_png().unwrap(), chart.to_png().unwrap());
}

#[test]
fn names_a_chart_without_series() {
    check_error(chart(vec![], Scale::Linear).to_png(), "chart \"Loss\" has no series");
}
#[test]
fn names_a_series_without_points() {
    let expected = "series \"training\" has 0 points and none of them is finite";
    check_error(chart(vec![curve(&[1.0]), curve(&[])], Scale::Linear).to_png(), expected);
}
#[test]
fn names_a_series_without_numbers() {
    let expected = "series \"training\" has 2 points and none of them is finite";
    check_error(chart(vec![curve(&[f64::NAN; 2])], Scale::Linear).to_png(), expected);
}
#[test]
fn names_a_value_without_logarithm() {
    let expected =
        "series \"training\" has the value 0 at 1, expected above 0 on a logarithmic scale";
    check_error(chart(vec![curve(&[1.0, 0.0])], Scale::Log).to_png(), expected);
}
#[test]
fn names_a_spectrogram_without_panels() {
    check_error(spectrogram(vec![], FrequencyScale::Mel).to_png(), "the spectrogram has no panels");
}
#[test]
fn names_an_empty_clip() {
    let expected = "clip \"prompt\" has 0 samples at 16000 Hz, expected both above 0";
    check_error(spectrogram(vec![clip(0, 16_000)], FrequencyScale::Mel).to_png(), expected);
}
#[test]
fn names_a_sample_that_is_no_number() {
    let mut broken = clip(10, 16_000);
    broken.samples[3] = f32::NAN;
    let expected = "sample 3 of clip \"prompt\" is NaN, expected a finite number";
    check_error(spectrogram(vec![broken], FrequencyScale::Mel).to_png(), expected);
}
#[test]
fn names_a_codebook_that_is_not_used() {
    let expected = "chart \"Quantizer 1\" counts 4 codes, and none of them occurs";
    check_error(usage(vec![0; 4], Order::ById).to_png(), expected);
}

#[test]
fn saving_leaves_the_picture_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage.png");
    let chart = usage(vec![3, 1], Order::ById);
    chart.save(&path).unwrap();
    chart.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), chart.to_png().unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
#[test]
fn names_the_file_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("usage.png");
    let err = usage(vec![3, 1], Order::ById).save(&path).unwrap_err();
    assert_eq!(err.to_string(), format!("{}: the picture could not be written", path.display()));
}
