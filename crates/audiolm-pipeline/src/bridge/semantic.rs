//! What is said in the gap.

use audiolm_transformer::{
    Length, Runs, SemanticBatch, SemanticPrompt, SemanticRequest, SemanticRow,
};

use super::around::Around;
use super::{Bridge, Chosen, of_window};
use crate::window::next_window;
use crate::{Part, PipelineError, Progress};

impl Bridge<'_> {
    /// The id of each frame.
    pub(super) fn semantic(
        &self,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Chosen, PipelineError> {
        let total = self.n_frames * self.n_candidates;
        let draw = |candidate: usize, seed: u64| {
            on_progress(Progress { stage: Part::Semantic, done: candidate * self.n_frames, total });
            self.draw_semantic(seed)
        };
        let chosen = self.choose(Part::Semantic, draw, |it| self.judge_semantic(it))?;
        on_progress(Progress { stage: Part::Semantic, done: total, total });
        Ok(chosen)
    }

    fn draw_semantic(&self, seed: u64) -> Result<Vec<u32>, PipelineError> {
        let mut frames = self.left.semantic.clone();
        let (n_left, total) = (frames.len(), frames.len() + self.n_frames);
        for idx in 0.. {
            let known = frames.len();
            if known == total {
                break;
            }
            let window = next_window(known, total, self.window_frames.semantic);
            let Runs { ids, durations } = Runs::of(&frames[window.start..]);
            let (starts, condition) = (window.start == 0, self.told.semantic.clone());
            let prompt = SemanticPrompt { ids, durations, starts, condition };
            let request = SemanticRequest {
                length: Length::Exactly(window.end - known),
                ids: self.chance.sampling.semantic,
                durations: self.chance.sampling.durations,
                guidance: self.chance.sampling.guidance,
            };
            let rng = of_window(seed, Part::Semantic, idx);
            let runs = self.models.semantic.generate(&prompt, &request, rng)?;
            frames.extend(runs.frames()?);
        }
        Ok(frames.split_off(n_left))
    }

    /// How likely the right side is after the left one and this: frame by frame, so that it does not
    /// matter to the sum whether the last run of the gap goes on in the right side.
    fn judge_semantic(&self, gap: &[u32]) -> Result<f64, PipelineError> {
        let around = Around {
            left: self.left.semantic.len(),
            gap: self.n_frames,
            right: self.right.semantic.len(),
            window: self.window_frames.semantic,
        };
        let all = [&self.left.semantic[..], gap, &self.right.semantic[..around.ahead()]].concat();
        let judged = around.judged();
        let row = |end: usize| {
            let Runs { ids, durations } = Runs::of(&all[judged.start..end]);
            let (starts, condition) = (judged.start == 0, self.told.semantic.clone());
            SemanticRow { ids, durations, starts, ends: false, condition }
        };
        let rows = vec![row(all.len()), row(all.len() - around.ahead())];
        let scores = self.models.semantic.run_likelihoods(&SemanticBatch { rows })?;
        Ok(scores[0].total() - scores[1].total())
    }
}
