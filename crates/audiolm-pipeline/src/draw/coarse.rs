//! How it sounds roughly, frame by frame. Each window sees what is said in it, and continues the
//! codes of the last; see [`next_view`].

use audiolm_transformer::{CoarseRequest, CodeGeneration, Runs};

use super::Drawing;
use crate::window::next_view;
use crate::{Part, PipelineError};

impl Drawing<'_> {
    /// Draws until there are as many frames.
    pub(super) fn draw_coarse_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        let stage = &self.request.models.coarse;
        while self.n_coarse_frames() < n_frames {
            let mut window = match self.coarse.current.take() {
                Some(window) => window,
                None => self.begin_coarse()?,
            };
            if let Some(codes) = stage.next_frame(&mut window) {
                self.tokens.codes.coarse.extend(codes);
                self.coarse.current = Some(window);
                self.report(Part::Coarse, self.n_coarse_frames(), self.coarse.n_recorded);
            }
        }
        Ok(())
    }

    pub(super) fn n_coarse_frames(&self) -> usize {
        self.tokens.codes.coarse.len() / self.request.frame.n_coarse
    }

    fn begin_coarse(&mut self) -> Result<CodeGeneration, PipelineError> {
        let (recorded, known) = (self.coarse.n_recorded, self.n_coarse_frames());
        let size = self.request.window_frames.coarse;
        let view = next_view(recorded, known, self.request.n_frames, size);
        self.draw_semantic_up_to(view.latest.end)?;
        let runs = Runs::of(&view.of(&self.tokens.semantic, 1));
        let request = CoarseRequest {
            semantic: &runs.ids,
            semantic_frames: &runs.middles(1.0),
            prompt_codes: &view.of(&self.tokens.codes.coarse, self.request.frame.n_coarse),
            n_frames: view.latest.end - known,
            sampling: self.request.chance.sampling.coarse,
            recall: self.request.chance.sampling.recall,
            recalled_frames: view.n_recorded(recorded),
            condition: None,
            guidance: self.request.chance.sampling.guidance,
        };
        let rng = self.coarse.generator(self.request.chance.seed, known);
        Ok(self.request.models.coarse.begin(&request, rng)?)
    }
}
