//! What is left of a recording after the codec.

use audiolm_audio::Clip;
use audiolm_eval::{EvalError, cut_to_shorter, log_mel_distance, si_sdr, stoi};
use audiolm_pipeline::AudioLm;

use super::{
    CodecReport, CodecRow, EvaluationError, HeldOut, Measured::Codec, Progress, report::mean,
};

/// The figures of one passage.
struct Figures {
    stoi: f64,
    si_sdr_db: f64,
    log_mel_distance: f64,
}

/// The figures of the codec, means over all passages.
pub(super) fn measure(
    lm: &AudioLm,
    held_out: &[HeldOut],
    quantizers: &[usize],
    on_progress: &mut dyn FnMut(Progress),
) -> Result<CodecReport, EvaluationError> {
    let numbers = present(quantizers, lm.coder().spec().n_quantizers);
    let passages: Vec<(&str, &Clip)> = held_out
        .iter()
        .flat_map(|it| it.passages.iter().map(|clip| (it.speaker.as_str(), clip)))
        .collect();
    if passages.is_empty() {
        return Err(EvaluationError::NothingHeldOut);
    }
    let total = passages.len();
    let mut figures = Vec::new();
    for (done, (speaker, passage)) in passages.iter().enumerate() {
        on_progress(Progress { measured: Codec, done, total });
        figures.push(of_passage(lm, speaker, passage, &numbers)?);
    }
    on_progress(Progress { measured: Codec, done: total, total });
    Ok(CodecReport {
        n_passages: total,
        seconds: passages.iter().map(|it| it.1.seconds()).sum(),
        rows: numbers.iter().enumerate().map(|(idx, &n)| row(n, &figures, idx)).collect(),
    })
}

/// The numbers that a codec has, in order, and its own at the end.
fn present(quantizers: &[usize], available: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> =
        quantizers.iter().copied().filter(|&it| it < available).chain([available]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The figures with each number of quantizers.
fn of_passage(
    lm: &AudioLm,
    speaker: &str,
    passage: &Clip,
    numbers: &[usize],
) -> Result<Vec<Figures>, EvaluationError> {
    let original = passage.resampled(lm.sample_rate_hz())?;
    let figures = |&n: &usize| {
        let coded =
            lm.reconstruct(&original, Some(n)).map_err(EvaluationError::refused(speaker))?;
        compare(&original, &coded).map_err(EvaluationError::unmeasurable(speaker))
    };
    numbers.iter().map(figures).collect()
}

fn compare(original: &Clip, coded: &Clip) -> Result<Figures, EvalError> {
    let (reference, degraded) = cut_to_shorter(&original.samples, &coded.samples);
    let rate_hz = original.sample_rate_hz;
    Ok(Figures {
        stoi: stoi(reference, degraded, rate_hz)?,
        si_sdr_db: si_sdr(reference, degraded)?,
        log_mel_distance: log_mel_distance(reference, degraded, rate_hz)?,
    })
}

/// The means of column `idx`.
fn row(quantizers: usize, figures: &[Vec<Figures>], idx: usize) -> CodecRow {
    let mean_of = |figure: fn(&Figures) -> f64| mean(figures.iter().map(|it| figure(&it[idx])));
    CodecRow {
        quantizers,
        stoi: mean_of(|it| it.stoi),
        si_sdr_db: mean_of(|it| it.si_sdr_db),
        log_mel_distance: mean_of(|it| it.log_mel_distance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quantizers: &[usize], available: usize, expected: &[usize]) {
        assert_eq!(present(quantizers, available), expected);
    }

    #[test]
    fn numbers_above_what_the_codec_has_are_passed_over() {
        check(&[1, 3, 6], 4, &[1, 3, 4]);
        check(&[1, 3, 6], 12, &[1, 3, 6, 12]);
    }
    #[test]
    fn each_number_is_measured_once() {
        check(&[6, 1, 1], 6, &[1, 6]);
        check(&[], 8, &[8]);
    }
}
