//! How it sounds, all codes of a window in a few passes. Each window sees what is said in it, and
//! continues the codes of the last; see [`next_view`].

use audiolm_transformer::{ParallelRequest, ParallelStage};

use super::{Draw, progress};
use crate::configs::Models;
use crate::window::next_view;
use crate::{Part, PipelineError};

impl<'a> Draw<'a> {
    /// The stage, where the bundle has one.
    pub(super) fn parallel_stage(&self) -> Result<&'a ParallelStage, PipelineError> {
        let models: &'a Models = self.models;
        models.parallel.as_ref().ok_or(PipelineError::NoParallelStage)
    }

    /// Draws the codes of whole frames, row-major, until there are as many as semantic ids.
    pub(super) fn extend_parallel(
        &mut self,
        semantic: &[u32],
        codes: &mut Vec<u32>,
    ) -> Result<(), PipelineError> {
        let stage = self.parallel_stage()?;
        let width = self.frame.layout.n_quantizers();
        let size = self.window_frames.parallel.unwrap_or(self.window_frames.coarse);
        let (recorded, total) = (codes.len() / width, semantic.len());
        let mut windows = 0..;
        while codes.len() / width < total {
            let known = codes.len() / width;
            let view = next_view(recorded, known, total, size);
            let request = ParallelRequest {
                semantic: &view.of(semantic, 1),
                prompt_codes: &view.of(codes, width),
                sampling: self.sampling.parallel,
                passes: ParallelStage::PAPER_PASSES,
            };
            let mut rng = self.generator(Part::Parallel, windows.next());
            let mut report =
                progress(self.on_progress, Part::Parallel, known - recorded, total - recorded);
            codes.extend(stage.generate(&request, &mut rng, &mut |n| report(n / width))?);
        }
        Ok(())
    }
}
