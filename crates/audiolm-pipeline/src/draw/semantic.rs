//! What is said, run by run. Each window continues the runs of the last.

use audiolm_transformer::{
    Length, Run, Runs, SemanticGenerations, SemanticPrompt, SemanticRequest,
};

use super::Drawing;
use crate::window::next_window;
use crate::{Part, PipelineError};

impl Drawing<'_> {
    /// Draws until there are as many frames, or a few more: the last run is drawn as a whole.
    pub(super) fn draw_semantic_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        let stage = &self.request.models.semantic;
        while self.n_semantic_frames() < n_frames {
            let mut window = match self.semantic.current.take() {
                Some(window) => window,
                None => self.begin_semantic()?,
            };
            for (row, run) in self.rows.iter_mut().zip(stage.next_runs(&mut window)) {
                let frames = run.map(|Run { id, duration }| (id, duration as usize));
                row.semantic.extend(frames.into_iter().flat_map(|(id, n)| vec![id; n]));
            }
            match window.n_left() {
                0 => self.semantic.leave(window.likelihoods()),
                _ => self.semantic.current = Some(window),
            }
            self.report(Part::Semantic, self.n_semantic_frames(), self.semantic.n_recorded);
        }
        Ok(())
    }

    fn n_semantic_frames(&self) -> usize {
        self.n_frames_of(|it| &it.semantic, 1)
    }

    fn begin_semantic(&mut self) -> Result<SemanticGenerations, PipelineError> {
        let known = self.n_semantic_frames();
        let size = self.request.window_frames.semantic;
        let window = next_window(known, self.request.n_frames, size);
        let starts = window.start == 0;
        let prompt = |frames: &[u32]| {
            let Runs { ids, durations } = Runs::of(frames);
            SemanticPrompt { ids, durations, starts, condition: None }
        };
        let prompts: Vec<_> =
            self.rows.iter().map(|it| prompt(&it.semantic[window.start..])).collect();
        let request = SemanticRequest {
            length: Length::Exactly(window.end - known),
            ids: self.request.chance.sampling.semantic,
            durations: self.request.chance.sampling.durations,
            guidance: self.request.chance.sampling.guidance,
        };
        let rngs = self.semantic.generators(self.request.chance.seed, known);
        let prompts = prompts.iter().zip(rngs).collect();
        Ok(self.request.models.semantic.begin_all(&request, prompts)?)
    }
}
