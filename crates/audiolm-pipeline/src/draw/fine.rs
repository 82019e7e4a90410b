//! How it sounds in detail, frame by frame. In chunks, as in AudioLM (section III-C); but while those
//! know nothing of one another, ours go on with the codes of the last and see some of the recording.

use audiolm_transformer::{CodeGeneration, FineRequest};

use super::Drawing;
use crate::window::next_view;
use crate::{Part, PipelineError};

impl Drawing<'_> {
    /// Draws until there are as many frames.
    pub(super) fn draw_fine_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        let stage = &self.request.models.fine;
        while self.n_fine_frames() < n_frames {
            let mut chunk = match self.fine.current.take() {
                Some(chunk) => chunk,
                None => self.begin_fine()?,
            };
            if let Some(codes) = stage.next_frame(&mut chunk) {
                self.tokens.codes.fine.extend(codes);
                self.fine.current = Some(chunk);
                self.report(Part::Fine, self.n_fine_frames(), self.fine.n_recorded);
            }
        }
        Ok(())
    }

    fn n_fine_frames(&self) -> usize {
        self.tokens.codes.fine.len() / self.request.frame.n_fine()
    }

    fn begin_fine(&mut self) -> Result<CodeGeneration, PipelineError> {
        let (recorded, known) = (self.fine.n_recorded, self.n_fine_frames());
        let size = self.request.window_frames.fine;
        let view = next_view(recorded, known, self.request.n_frames, size);
        self.draw_coarse_up_to(view.latest.end)?;
        let frame = self.request.frame;
        let request = FineRequest {
            coarse: &view.of(&self.tokens.codes.coarse, frame.n_coarse),
            prompt_fine: &view.of(&self.tokens.codes.fine, frame.n_fine()),
            sampling: self.request.chance.sampling.fine,
            recall: self.request.chance.sampling.recall,
            recalled_frames: view.n_recorded(recorded),
            condition: None,
            guidance: self.request.chance.sampling.guidance,
        };
        let rng = self.fine.generator(self.request.chance.seed, known);
        Ok(self.request.models.fine.begin(&request, rng)?)
    }
}
