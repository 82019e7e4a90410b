//! What can be asked for.

use audiolm_transformer::{
    CoarseStage, FineStage, GenerateError, Guidance, Recall, Sampling, SemanticStage,
};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::draw::Chance;

/// What stages recall that have heard hours of speech, not years: on held-out speakers it keeps
/// voices better and falls silent less (`docs/evaluation.md`).
const RECALL: Recall = Recall { share: 0.8, sharpness: 0.35 };

/// The temperature of the parallel stage, which SoundStorm leaves open: that of coarse codes.
const PARALLEL_TEMPERATURE: f64 = CoarseStage::PAPER_SAMPLING.temperature;

/// How each stage draws its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StageSampling {
    /// What is said.
    pub semantic: Sampling,
    /// How long each piece of it lasts.
    pub durations: Sampling,
    /// How it sounds roughly.
    pub coarse: Sampling,
    /// How it sounds in detail.
    pub fine: Sampling,
    /// How far coarse and fine codes of the prompt come again.
    pub recall: Recall,
    /// How much what the stages are told counts; where they are told nothing, nothing.
    pub guidance: Guidance,
    /// What draws the codes.
    pub decoder: AcousticDecoder,
    /// How the parallel stage guesses codes of its first level.
    pub parallel: Sampling,
}

/// What draws codes, given semantic tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcousticDecoder {
    /// AudioLM's second and third stage: one code after another.
    #[default]
    Autoregressive,
    /// SoundStorm's: many codes at once. Not every bundle has it.
    Parallel,
}

/// How to continue a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContinueOptions {
    /// How much to add, in seconds; rounded to whole frames, at least one.
    pub seconds: f64,
    /// How much of the recording to continue, from its start, in seconds. A shorter recording is
    /// continued as a whole.
    pub prompt_seconds: f64,
    /// What chance is made of: the same seed gives the same samples.
    pub seed: u64,
    /// How the stages draw.
    pub sampling: StageSampling,
}

/// How to make audio from nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GenerateOptions {
    /// How much to make, in seconds; rounded to whole frames, at least one.
    pub seconds: f64,
    /// What chance is made of: the same seed gives the same samples.
    pub seed: u64,
    /// How the stages draw.
    pub sampling: StageSampling,
}

/// How to say the same in another voice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ResynthesizeOptions {
    /// What chance is made of: the same seed gives the same samples.
    pub seed: u64,
    /// How the stages draw; of the semantic tokens nothing is drawn.
    pub sampling: StageSampling,
}

impl Default for StageSampling {
    /// AudioLM's temperatures: 0.6, 0.8 and 0.6 (section IV-A). Durations, which the paper does
    /// not have, are drawn as the model has learnt them: a lower temperature would hurry. The
    /// prompt's codes are recalled, which the paper does not do either.
    fn default() -> Self {
        Self {
            semantic: SemanticStage::PAPER_SAMPLING,
            durations: Sampling::at(1.0),
            coarse: CoarseStage::PAPER_SAMPLING,
            fine: FineStage::PAPER_SAMPLING,
            recall: RECALL,
            guidance: Guidance::NONE,
            decoder: AcousticDecoder::default(),
            parallel: Sampling::at(PARALLEL_TEMPERATURE),
        }
    }
}

impl Default for ContinueOptions {
    /// Four seconds after the first three, as long a prompt as AudioLM's (section IV-D).
    fn default() -> Self {
        Self { seconds: 4.0, prompt_seconds: 3.0, seed: 0, sampling: StageSampling::default() }
    }
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self { seconds: 4.0, seed: 0, sampling: StageSampling::default() }
    }
}

impl From<&ContinueOptions> for Chance {
    fn from(&ContinueOptions { sampling, seed, .. }: &ContinueOptions) -> Self {
        Self { sampling, seed }
    }
}

impl From<&GenerateOptions> for Chance {
    fn from(&GenerateOptions { sampling, seed, .. }: &GenerateOptions) -> Self {
        Self { sampling, seed }
    }
}

impl From<&ResynthesizeOptions> for Chance {
    fn from(&ResynthesizeOptions { sampling, seed }: &ResynthesizeOptions) -> Self {
        Self { sampling, seed }
    }
}

impl StageSampling {
    /// Names the first bound that is not kept.
    pub(crate) fn validate(&self) -> Result<(), PipelineError> {
        let Self { semantic, durations, coarse, fine, parallel, recall, guidance, decoder: _ } =
            self;
        recall.validate().map_err(GenerateError::from)?;
        guidance.validate().map_err(GenerateError::from)?;
        let all = [semantic, durations, coarse, fine, parallel];
        Ok(all.into_iter().try_for_each(|it| it.validate()).map_err(GenerateError::from)?)
    }
}
