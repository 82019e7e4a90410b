//! How it sounds, all codes of a window in a few passes. Each window sees what is said in it, and
//! continues the codes of the last; see [`next_view`].

use audiolm_transformer::{ParallelRequest, ParallelStage, SplitCodes};

use super::Drawing;
use crate::tokens::Frame;
use crate::window::next_view;
use crate::{Part, PipelineError};

impl Drawing<'_> {
    /// Draws until there are as many frames.
    pub(super) fn draw_parallel_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        while self.n_fine_frames() < n_frames {
            self.draw_parallel_window()?;
            self.report(Part::Parallel, self.n_fine_frames(), self.parallel.n_recorded);
        }
        Ok(())
    }

    fn draw_parallel_window(&mut self) -> Result<(), PipelineError> {
        let models = self.request.models;
        let stage = models.parallel.as_ref().ok_or(PipelineError::NoParallelStage)?;
        let windows = self.request.window_frames;
        let size = windows.parallel.unwrap_or(windows.coarse);
        let (recorded, known) = (self.parallel.n_recorded, self.n_fine_frames());
        let view = next_view(recorded, known, self.request.n_frames, size);
        self.draw_semantic_up_to(view.latest.end)?;
        let rngs = self.parallel.generators(self.request.chance.seed, known);
        let (Frame { layout, n_coarse }, chance) = (self.request.frame, self.request.chance);
        for (row, mut rng) in self.rows.iter_mut().zip(rngs) {
            let codes = layout.join(&row.codes, n_coarse)?;
            let request = ParallelRequest {
                semantic: &view.of(&row.semantic, 1),
                prompt_codes: &view.of(&codes, layout.n_quantizers()),
                sampling: chance.sampling.parallel,
                passes: ParallelStage::PAPER_PASSES,
            };
            let drawn = stage.generate(&request, &mut rng, &mut |_| {})?;
            let SplitCodes { coarse, fine } = layout.split(&drawn, n_coarse)?;
            row.codes.coarse.extend(coarse);
            row.codes.fine.extend(fine);
        }
        Ok(())
    }
}
