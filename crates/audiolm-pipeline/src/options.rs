//! What can be asked for.

use audiolm_transformer::{
    CoarseStage, FineStage, GenerateError, Guidance, Recall, Sampling, SemanticStage,
};
use serde::{Deserialize, Serialize};

use crate::draw::Chance;
use crate::{PipelineError, tempo};

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

/// What the coarse stage is told of the frames it draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Semantics {
    /// What the semantic stage says.
    Drawn {
        /// How fast it says it: 1.25 says in four seconds what would take five.
        tempo: f64,
    },
    /// Nothing: the acoustic-only generation that AudioLM is compared with on piano. A coarse stage
    /// can do that as far as it has learnt from crops without semantic ids
    /// (`coarse.semantic_dropout` in training).
    LeftOut,
}

/// How to continue a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContinueOptions {
    /// How much to add, in seconds; rounded to whole frames, at least one.
    pub seconds: f64,
    /// What the coarse stage is told.
    pub semantics: Semantics,
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
    /// What the coarse stage is told.
    pub semantics: Semantics,
    /// What chance is made of: the same seed gives the same samples.
    pub seed: u64,
    /// How the stages draw.
    pub sampling: StageSampling,
}

/// How to say the same in another voice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResynthesizeOptions {
    /// How fast to say it: 1.25 takes four seconds where the recording takes five.
    pub tempo: f64,
    /// What chance is made of: the same seed gives the same samples.
    pub seed: u64,
    /// How the stages draw; of the semantic tokens nothing is drawn.
    pub sampling: StageSampling,
}

/// How to fill a gap in a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InfillOptions {
    /// How long what fills the gap is, in seconds, rounded to whole frames, at least one; as long as
    /// the gap without a value.
    pub seconds: Option<f64>,
    /// How many gaps to draw in each of the first two stages, one of which is chosen for what it
    /// makes of the right side; at most [`MAX_CANDIDATES`]. A single one is drawn from the left alone.
    pub candidates: usize,
    /// What chance is made of: the same seed gives the same samples.
    pub seed: u64,
    /// How the stages draw.
    pub sampling: StageSampling,
}

/// More candidates than anyone has the time for.
pub const MAX_CANDIDATES: usize = 1024;

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
        Self {
            seconds: 4.0,
            semantics: Semantics::default(),
            prompt_seconds: 3.0,
            seed: 0,
            sampling: StageSampling::default(),
        }
    }
}

impl Default for GenerateOptions {
    fn default() -> Self {
        let (semantics, sampling) = (Semantics::default(), StageSampling::default());
        Self { seconds: 4.0, semantics, seed: 0, sampling }
    }
}

impl Default for Semantics {
    /// Drawn, at the tempo that the model has learnt.
    fn default() -> Self {
        Self::Drawn { tempo: 1.0 }
    }
}

impl Default for ResynthesizeOptions {
    fn default() -> Self {
        Self { tempo: 1.0, seed: 0, sampling: StageSampling::default() }
    }
}

impl Default for InfillOptions {
    fn default() -> Self {
        Self { seconds: None, candidates: 8, seed: 0, sampling: StageSampling::default() }
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
    fn from(&ResynthesizeOptions { sampling, seed, .. }: &ResynthesizeOptions) -> Self {
        Self { sampling, seed }
    }
}

impl From<&InfillOptions> for Chance {
    fn from(&InfillOptions { sampling, seed, .. }: &InfillOptions) -> Self {
        Self { sampling, seed }
    }
}

impl Semantics {
    /// Refuses what is no tempo.
    pub(crate) fn validate(&self) -> Result<(), PipelineError> {
        match self {
            Self::Drawn { tempo } => tempo::validate(*tempo),
            Self::LeftOut => Ok(()),
        }
    }
}

impl InfillOptions {
    /// Names the first bound that is not kept.
    pub(crate) fn validate(&self) -> Result<(), PipelineError> {
        if !(1..=MAX_CANDIDATES).contains(&self.candidates) {
            return Err(PipelineError::Candidates { found: self.candidates });
        }
        self.sampling.validate()
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
