//! How it sounds in detail, frame by frame. In chunks, as in AudioLM (section III-C); but while those
//! know nothing of one another, ours go on with the codes of the last and see some of the recording.

use audiolm_transformer::{CodeGenerations, FineRequest};

use super::Drawing;
use crate::window::next_view;
use crate::{Part, PipelineError, StageSampling};

impl Drawing<'_> {
    /// Draws until there are as many frames.
    pub(super) fn draw_fine_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        let stage = &self.request.models.fine;
        while self.n_fine_frames() < n_frames {
            let mut chunk = match self.fine.current.take() {
                Some(chunk) => chunk,
                None => self.begin_fine()?,
            };
            for (row, codes) in self.rows.iter_mut().zip(stage.next_frames(&mut chunk)) {
                row.codes.fine.extend(codes.unwrap_or_default());
            }
            match chunk.n_left() {
                0 => self.fine.leave(chunk.likelihoods()),
                _ => self.fine.current = Some(chunk),
            }
            self.report(Part::Fine, self.n_fine_frames(), self.fine.n_recorded);
        }
        Ok(())
    }

    pub(super) fn n_fine_frames(&self) -> usize {
        self.n_frames_of(|it| &it.codes.fine, self.request.frame.n_fine())
    }

    fn begin_fine(&mut self) -> Result<CodeGenerations, PipelineError> {
        let (recorded, known) = (self.fine.n_recorded, self.n_fine_frames());
        let size = self.request.window_frames.fine;
        let view = next_view(recorded, known, self.request.n_frames, size);
        self.draw_coarse_up_to(view.latest.end)?;
        let rngs = self.fine.generators(self.request.chance.seed, known);
        let StageSampling { fine: sampling, recall, guidance, .. } = self.request.chance.sampling;
        let (n_coarse, n_fine) = (self.request.frame.n_coarse, self.request.frame.n_fine());
        let coarse: Vec<_> =
            self.rows.iter().map(|it| view.of(&it.codes.coarse, n_coarse)).collect();
        let fine: Vec<_> = self.rows.iter().map(|it| view.of(&it.codes.fine, n_fine)).collect();
        let request = |row: usize| FineRequest {
            coarse: &coarse[row],
            prompt_fine: &fine[row],
            sampling,
            recall,
            recalled_frames: view.n_recorded(recorded),
            condition: None,
            guidance,
        };
        let requests = rngs.into_iter().enumerate().map(|(row, rng)| (request(row), rng)).collect();
        Ok(self.request.models.fine.begin_all(requests)?)
    }
}
