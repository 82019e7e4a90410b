//! How it sounds roughly, frame by frame. Each window sees what is said in it, and continues the
//! codes of the last; see [`next_view`].

use audiolm_transformer::{CoarseRequest, CodeGenerations, Runs};

use super::Drawing;
use crate::tokens::FrameTokens;
use crate::window::next_view;
use crate::{Part, PipelineError, Semantics, StageSampling};

impl Drawing<'_> {
    /// Draws until there are as many frames.
    pub(super) fn draw_coarse_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        let stage = &self.request.models.coarse;
        while self.n_coarse_frames() < n_frames {
            let mut window = match self.coarse.current.take() {
                Some(window) => window,
                None => self.begin_coarse()?,
            };
            for (row, codes) in self.rows.iter_mut().zip(stage.next_frames(&mut window)) {
                row.codes.coarse.extend(codes.unwrap_or_default());
            }
            match window.n_left() {
                0 => self.coarse.leave(window.likelihoods()),
                _ => self.coarse.current = Some(window),
            }
            self.report(Part::Coarse, self.n_coarse_frames(), self.coarse.n_recorded);
        }
        Ok(())
    }

    pub(super) fn n_coarse_frames(&self) -> usize {
        self.n_frames_of(|it| &it.codes.coarse, self.request.frame.n_coarse)
    }

    fn begin_coarse(&mut self) -> Result<CodeGenerations, PipelineError> {
        let (recorded, known) = (self.coarse.n_recorded, self.n_coarse_frames());
        let size = self.request.window_frames.coarse;
        let view = next_view(recorded, known, self.request.n_frames, size);
        let is_told = matches!(self.request.semantics, Semantics::Drawn { .. });
        if is_told {
            self.draw_semantic_up_to(view.latest.end)?;
        }
        let rngs = self.coarse.generators(self.request.chance.seed, known);
        let StageSampling { coarse: sampling, recall, guidance, .. } = self.request.chance.sampling;
        let width = self.request.frame.n_coarse;
        let runs = |row: &FrameTokens| match is_told {
            true => Runs::of(&view.of(&row.semantic, 1)),
            false => Runs::default(),
        };
        let runs: Vec<Runs> = self.rows.iter().map(runs).collect();
        let middles: Vec<_> = runs.iter().map(|it| it.middles(1.0)).collect();
        let codes: Vec<_> = self.rows.iter().map(|it| view.of(&it.codes.coarse, width)).collect();
        let request = |row: usize| CoarseRequest {
            semantic: &runs[row].ids,
            semantic_frames: &middles[row],
            prompt_codes: &codes[row],
            n_frames: view.latest.end - known,
            sampling,
            recall,
            recalled_frames: view.n_recorded(recorded),
            condition: self.request.told.coarse.as_ref(),
            guidance,
        };
        let requests = rngs.into_iter().enumerate().map(|(row, rng)| (request(row), rng)).collect();
        Ok(self.request.models.coarse.begin_all(requests)?)
    }
}
