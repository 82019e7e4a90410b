//! How the gap sounds roughly.

use audiolm_transformer::{CoarseBatch, CoarseRequest, CoarseRow, Runs, Stage};

use super::around::Around;
use super::{Bridge, Chosen, of_window};
use crate::tokens::FrameTokens;
use crate::{Part, PipelineError, Progress};

impl Bridge<'_> {
    /// Its coarse codes, row-major, given what is said in all frames.
    pub(super) fn coarse(
        &self,
        semantic: &[u32],
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Chosen, PipelineError> {
        let total = self.n_frames * self.n_candidates;
        let draw = |candidate: usize, seed: u64| {
            let before = candidate * self.n_frames;
            self.draw_coarse(semantic, seed, &mut |done| {
                on_progress(Progress { stage: Part::Coarse, done: before + done, total });
            })
        };
        self.choose(Part::Coarse, draw, |it| self.judge_coarse(semantic, it))
    }

    fn draw_coarse(
        &self,
        semantic: &[u32],
        seed: u64,
        on_frame: &mut dyn FnMut(usize),
    ) -> Result<Vec<u32>, PipelineError> {
        let (width, around) = (self.frame.n_coarse, self.around(self.window_frames.coarse));
        let right = around.left + around.gap;
        let borrowed = around.borrowed();
        let mut codes = self.left.codes.coarse.clone();
        for idx in 0.. {
            let known = codes.len() / width;
            if known == right {
                break;
            }
            let view = around.next(known);
            let said = view.and_ahead(around.ahead()).of(semantic, 1);
            let runs = Runs::of(&[&semantic[right..right + borrowed], &said].concat());
            let lent = &self.right.codes.coarse[..borrowed * width];
            let request = CoarseRequest {
                semantic: &runs.ids,
                semantic_frames: &runs.middles(1.0),
                prompt_codes: &[lent, &view.of(&codes, width)].concat(),
                n_frames: view.latest.end - known,
                sampling: self.chance.sampling.coarse,
                recall: self.chance.sampling.recall,
                recalled_frames: borrowed + view.n_recorded(around.left),
                condition: self.told.coarse.as_ref(),
                guidance: self.chance.sampling.guidance,
            };
            let stage = &self.models.coarse;
            let mut generation = stage.begin(&request, of_window(seed, Part::Coarse, idx))?;
            while let Some(drawn) = stage.next_frame(&mut generation) {
                codes.extend(drawn);
                on_frame(codes.len() / width - around.left);
            }
        }
        Ok(codes.split_off(around.left * width))
    }

    /// How likely the right side sounds after the left one and this.
    fn judge_coarse(&self, semantic: &[u32], gap: &[u32]) -> Result<f64, PipelineError> {
        let (width, around) = (self.frame.n_coarse, self.around(self.window_frames.coarse));
        let (judged, n_ahead) = (around.judged(), around.ahead() * width);
        if n_ahead == 0 {
            return Ok(0.0);
        }
        let (left, right) = (&self.left.codes.coarse, &self.right.codes.coarse[..n_ahead]);
        let codes = [&left[..], gap, right].concat();
        let runs = Runs::of(&semantic[judged.clone()]);
        let row = CoarseRow {
            semantic_frames: runs.middles(1.0),
            semantic: runs.ids,
            codes: codes[judged.start * width..].to_vec(),
            condition: self.told.coarse.clone(),
        };
        let scores =
            self.models.coarse.log_likelihoods(&CoarseBatch { rows: vec![row] })?.remove(0);
        let ahead = &scores[scores.len() - n_ahead..];
        Ok(ahead.iter().map(|it| f64::from(*it)).sum())
    }

    /// The gap to a stage of codes.
    pub(super) fn around(&self, window: usize) -> Around {
        let n_frames = |it: &FrameTokens| it.codes.coarse.len() / self.frame.n_coarse;
        let (left, right) = (n_frames(&self.left), n_frames(&self.right));
        Around { left, gap: self.n_frames, right, window }
    }
}
