//! How the gap sounds in detail.

use audiolm_transformer::FineRequest;

use super::{Bridge, of_window};
use crate::{Part, PipelineError, Progress};

impl Bridge<'_> {
    /// Its fine codes, row-major, given the coarse codes of all frames. They are local: of these there
    /// are no candidates.
    pub(super) fn fine(
        &self,
        coarse: &[u32],
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<u32>, PipelineError> {
        let (width, n_coarse) = (self.frame.n_fine(), self.frame.n_coarse);
        let around = self.around(self.window_frames.fine);
        let right = around.left + around.gap;
        let borrowed = around.borrowed();
        let mut codes = self.left.codes.fine.clone();
        for idx in 0.. {
            let known = codes.len() / width;
            if known == right {
                break;
            }
            let view = around.next(known);
            let rough = view.and_ahead(around.ahead()).of(coarse, n_coarse);
            let lent = &coarse[right * n_coarse..(right + borrowed) * n_coarse];
            let lent_fine = &self.right.codes.fine[..borrowed * width];
            let request = FineRequest {
                coarse: &[lent, &rough].concat(),
                prompt_fine: &[lent_fine, &view.of(&codes, width)].concat(),
                sampling: self.chance.sampling.fine,
                recall: self.chance.sampling.recall,
                recalled_frames: borrowed + view.n_recorded(around.left),
                condition: None,
                guidance: self.chance.sampling.guidance,
            };
            let stage = &self.models.fine;
            let rng = of_window(self.chance.seed, Part::Fine, idx);
            let mut generation = stage.begin(&request, rng)?;
            for _ in known..view.latest.end {
                codes.extend(stage.next_frame(&mut generation).unwrap_or_default());
                let done = codes.len() / width - around.left;
                on_progress(Progress { stage: Part::Fine, done, total: around.gap });
            }
        }
        Ok(codes.split_off(around.left * width))
    }
}
