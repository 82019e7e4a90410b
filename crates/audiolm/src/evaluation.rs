//! How good a bundle is, measured on recordings that it has not learnt from.
//!
//! Two questions are asked of the models themselves: what is left of a recording after the codec,
//! and whether a continuation sounds like its prompt. A third, how well the language models predict
//! held-out tokens, is answered by training; [`StageLikelihood::of_run`] reads that answer. What the
//! figures are, and where they come from, is told in `docs/evaluation.md`.
//!
//! ```
//! use audiolm::evaluation::{EvaluateOptions, HeldOut, evaluate};
//! use audiolm::{AudioLm, Clip, ContinueOptions};
//!
//! # let folder = tempfile::tempdir()?;
//! # let bundle = folder.path().join("bundle");
//! # audiolm::pipeline::testing::tiny_bundle(&bundle, &audiolm::device(None)?)?;
//! # let tone = |hz: f32| {
//! #     let samples = (0..16_000).map(|n| 0.1 * (n as f32 * hz * 4e-4).sin()).collect();
//! #     Clip { samples, sample_rate_hz: 16_000 }
//! # };
//! # let (anna, bert) = (tone(200.0), tone(300.0));
//! let lm = AudioLm::load(bundle, &audiolm::device(None)?)?;
//! let held_out = [("Anna", anna), ("Bert", bert)].map(|(speaker, clip)| HeldOut {
//!     speaker: speaker.into(),
//!     passages: vec![clip.clone()],
//!     prompt: clip,
//! });
//! let continuation = ContinueOptions { seconds: 0.2, prompt_seconds: 0.5, ..Default::default() };
//! let options = EvaluateOptions { continuation, ..Default::default() };
//! let report = evaluate(&lm, &held_out, &options)?.report;
//! println!("{report}");
//! assert_eq!(report.continuation.nearest_prompts.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codec;
mod continuation;
mod error;
mod held_out;
mod likelihood;
mod options;
mod report;

pub use error::EvaluationError;
pub use held_out::HeldOut;
pub use likelihood::StageLikelihood;
pub use options::{EvaluateOptions, HeldOutOptions, Measured, Progress};
pub use report::{CodecReport, CodecRow, ContinuationReport, Report};

use audiolm_audio::Clip;
use audiolm_pipeline::AudioLm;

/// What was measured, and what was heard meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The figures.
    pub report: Report,
    /// The sounds behind those of continuation, one for each speaker.
    pub sounds: Vec<Sounds>,
}

/// What was made of one speaker's prompt, at the rate of the models.
#[derive(Debug, Clone, PartialEq)]
pub struct Sounds {
    /// Who is heard.
    pub speaker: String,
    /// The recording, as much of it as was continued.
    pub prompt: Clip,
    /// What the models added, without the prompt.
    pub continuation: Clip,
    /// What the codec makes of the prompt: a continuation cannot sound better.
    pub reconstruction: Clip,
}

/// Measures a bundle on held-out recordings.
///
/// The codec is measured on the passages of all speakers, with each number of quantizers that was
/// asked for and that it has, and with all of them; then the prompt of each speaker is continued.
///
/// # Errors
/// Where there is nothing to measure, or where a recording cannot be measured: too short for STOI,
/// silent, or refused by the models. The speaker is named.
pub fn evaluate(
    lm: &AudioLm,
    held_out: &[HeldOut],
    options: &EvaluateOptions,
) -> Result<Evaluation, EvaluationError> {
    evaluate_with(lm, held_out, options, &mut |_| {})
}

/// As [`evaluate`], with reports of progress.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_with(
    lm: &AudioLm,
    held_out: &[HeldOut],
    options: &EvaluateOptions,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Evaluation, EvaluationError> {
    let codec = codec::measure(lm, held_out, &options.quantizers, on_progress)?;
    let continued = continuation::measure(lm, held_out, &options.continuation, on_progress)?;
    let report = Report { codec, continuation: continued.report, likelihood: Vec::new() };
    Ok(Evaluation { report, sounds: continued.sounds })
}
