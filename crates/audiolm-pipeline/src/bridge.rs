//! Tokens for a gap between two recordings.
//!
//! The stages are causal, and yet a gap has to fit what follows it. What is said is known to the
//! coarse stage as a whole, the right side included, and the coarse codes to the fine stage. For the
//! rest, the first two stages draw several candidates from the left, each in windows as ever, and one
//! is chosen for what it makes of the right: see `candidates.rs`.

mod around;
mod coarse;
mod fine;
mod semantic;

use audiolm_nn::{Generator, generator};
use audiolm_transformer::SplitCodes;
use rand::Rng;

use crate::configs::Models;
use crate::draw::Chance;
use crate::listening::Told;
use crate::tokens::{Frame, FrameTokens};
use crate::{Candidates, Part, PipelineError, Progress, WindowFrames};

/// A gap to be filled, and who does it.
pub(crate) struct Bridge<'a> {
    pub(crate) models: &'a Models,
    pub(crate) frame: Frame,
    pub(crate) window_frames: WindowFrames,
    /// What the stages are told of the whole.
    pub(crate) told: &'a Told,
    pub(crate) chance: Chance,
    pub(crate) n_candidates: usize,
    pub(crate) left: FrameTokens,
    /// Frames of the gap.
    pub(crate) n_frames: usize,
    pub(crate) right: FrameTokens,
}

/// A gap that was filled.
pub(crate) struct Bridged {
    /// Of both sides and the gap.
    pub(crate) tokens: FrameTokens,
    /// What was chosen among in the first stage,
    pub(crate) semantic: Candidates,
    /// and in the second.
    pub(crate) coarse: Candidates,
}

/// Tokens of one kind for the gap, and what they were chosen among.
struct Chosen {
    tokens: Vec<u32>,
    among: Candidates,
}

impl Bridge<'_> {
    /// Fills the gap.
    pub(crate) fn fill(
        &self,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Bridged, PipelineError> {
        let Chosen { tokens: said, among: semantic } = self.semantic(on_progress)?;
        let semantic_ids = [&self.left.semantic[..], &said, &self.right.semantic].concat();
        let Chosen { tokens, among: coarse } = self.coarse(&semantic_ids, on_progress)?;
        let (left, right) = (&self.left.codes, &self.right.codes);
        let coarse_codes = [&left.coarse[..], &tokens, &right.coarse].concat();
        let fine = self.fine(&coarse_codes, on_progress)?;
        let fine_codes = [&left.fine[..], &fine, &right.fine].concat();
        let codes = SplitCodes { coarse: coarse_codes, fine: fine_codes };
        Ok(Bridged { tokens: FrameTokens { semantic: semantic_ids, codes }, semantic, coarse })
    }

    /// Draws candidates from seeds of their own, and chooses one by what `score` makes of it.
    fn choose(
        &self,
        stage: Part,
        mut draw: impl FnMut(usize, u64) -> Result<Vec<u32>, PipelineError>,
        score: impl Fn(&[u32]) -> Result<f64, PipelineError>,
    ) -> Result<Chosen, PipelineError> {
        let seed = self.chance.seed;
        let seed_of = |idx: usize| generator(seed, "candidate", idx as u64).next_u64();
        let mut candidates = (0..self.n_candidates)
            .map(|it| draw(it, seed_of(it)))
            .collect::<Result<Vec<_>, _>>()?;
        let scores = candidates.iter().map(|it| score(it)).collect::<Result<_, _>>()?;
        let mut rng = generator(seed, &format!("choice of {stage}"), 0);
        let among = Candidates::resampled(scores, &mut rng);
        Ok(Chosen { tokens: candidates.swap_remove(among.chosen), among })
    }
}

/// What window `idx` of a stage draws from.
fn of_window(seed: u64, stage: Part, idx: usize) -> Generator {
    generator(seed, stage.folder(), idx as u64)
}
