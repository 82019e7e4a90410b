//! Whether tokens tell words or phones apart, whoever says them: ABX.
//!
//! Semantic features and tokens are measured beside MFCCs, their clusters and the codes
//! of the codec, as in Table I of AudioLM (Borsos et al. 2022, arXiv 2209.03143). What the figures are
//! is told in `docs/abx.md`.

mod error;
mod examples;
mod report;
mod representation;
mod tokenizers;

pub use error::DiscriminationError;
pub use examples::{Labelled, Labels};
pub use report::{AbxReport, AbxRow};
pub use tokenizers::Tokenizers;

use audiolm_audio::Clip;
use audiolm_eval::{AbxItem, AbxOptions, abx};

use representation::Representation;

/// What is compared, and how.
#[derive(Debug, Clone)]
pub struct DiscriminationOptions {
    /// Most examples of a word by one speaker.
    pub most_examples: usize,
    /// What chance is made of.
    pub seed: u64,
    /// Leading quantizers of the codec to measure beside all of them.
    pub quantizers: Vec<usize>,
    /// Recordings that MFCCs are clustered on; without any, their clusters are left out.
    pub train: Vec<Clip>,
}

/// How far a measurement is.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Representations that are done.
    pub done: usize,
    /// Representations there are.
    pub total: usize,
}

/// Measures on labelled recordings what tokenizers make of them.
///
/// # Errors
/// Where a recording cannot be resampled or is too short, or no two
/// examples can be compared.
pub fn discriminate(
    tokenizers: &Tokenizers,
    recordings: &[Labelled],
    options: &DiscriminationOptions,
    on_step: &mut dyn FnMut(Step),
) -> Result<AbxReport, DiscriminationError> {
    let representations = Representation::all(tokenizers, options)?;
    let total = representations.len();
    // One after another, so that the frames of one alone are held, however many recordings there are.
    let mut rows = Vec::with_capacity(total);
    for (done, representation) in representations.iter().enumerate() {
        on_step(Step { done, total });
        rows.push(row(representation, recordings, options)?);
    }
    on_step(Step { done: total, total });
    Ok(AbxReport::new(recordings, options.seed, rows))
}

fn row(
    representation: &Representation,
    recordings: &[Labelled],
    options: &DiscriminationOptions,
) -> Result<AbxRow, DiscriminationError> {
    let mut items: Vec<AbxItem> = Vec::new();
    let mut width = 0;
    for recording in recordings {
        let frames = representation.frames(&recording.clip, &recording.name)?;
        width = frames.width;
        items.extend(recording.spans.iter().filter_map(|span| frames.item(span)));
    }
    let measured = AbxOptions {
        most_examples: options.most_examples,
        seed: options.seed,
        ..AbxOptions::new(width)
    };
    Ok(AbxRow { representation: representation.name(), errors: abx(&items, &measured)? })
}
