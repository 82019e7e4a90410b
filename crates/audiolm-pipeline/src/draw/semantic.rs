//! What is said, run by run. Each window continues the runs of the last.

use audiolm_transformer::{Length, Run, Runs, SemanticGeneration, SemanticPrompt, SemanticRequest};

use super::Drawing;
use crate::window::next_window;
use crate::{Part, PipelineError};

impl Drawing<'_> {
    /// Draws until there are as many frames, or a few more: the last run is drawn as a whole.
    pub(super) fn draw_semantic_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        let stage = &self.request.models.semantic;
        while self.tokens.semantic.len() < n_frames {
            let mut window = match self.semantic.current.take() {
                Some(window) => window,
                None => self.begin_semantic()?,
            };
            if let Some(Run { id, duration }) = stage.next_run(&mut window) {
                self.tokens.semantic.extend(std::iter::repeat_n(id, duration as usize));
                self.semantic.current = Some(window);
                self.report(Part::Semantic, self.tokens.semantic.len(), self.semantic.n_recorded);
            }
        }
        Ok(())
    }

    fn begin_semantic(&mut self) -> Result<SemanticGeneration, PipelineError> {
        let known = self.tokens.semantic.len();
        let size = self.request.window_frames.semantic;
        let window = next_window(known, self.request.n_frames, size);
        let Runs { ids, durations } = Runs::of(&self.tokens.semantic[window.start..]);
        let prompt =
            SemanticPrompt { ids, durations, starts: window.start == 0, condition: None };
        let request = SemanticRequest {
            length: Length::Exactly(window.end - known),
            ids: self.request.chance.sampling.semantic,
            durations: self.request.chance.sampling.durations,
            guidance: self.request.chance.sampling.guidance,
        };
        let rng = self.semantic.generator(self.request.chance.seed, known);
        Ok(self.request.models.semantic.begin(&prompt, &request, rng)?)
    }
}
