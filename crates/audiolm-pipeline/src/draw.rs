//! The stages, one after another, over any number of frames.
//!
//! Each stage sees at most one window at a time, so memory and time per frame do not depend on the
//! length. Window `i` of a stage draws from a generator of its own, named by seed, stage and `i`.

mod parallel;

use audiolm_nn::{Generator, generator};
use audiolm_transformer::{
    CoarseRequest, FineRequest, Length, Runs, SemanticPrompt, SemanticRequest,
};

use crate::configs::Models;
use crate::tokens::{Frame, FrameTokens};
use crate::window::{next_view, next_window};
use crate::{AcousticDecoder, Part, PipelineError, Progress, StageSampling, WindowFrames};

/// One request for more tokens.
pub(crate) struct Draw<'a> {
    pub(crate) models: &'a Models,
    pub(crate) frame: Frame,
    pub(crate) window_frames: WindowFrames,
    pub(crate) sampling: &'a StageSampling,
    pub(crate) seed: u64,
    pub(crate) on_progress: &'a mut dyn FnMut(Progress),
}

impl Draw<'_> {
    /// Draws what is missing of each kind of token up to `total` frames.
    pub(crate) fn extend(
        &mut self,
        tokens: &mut FrameTokens,
        total: usize,
    ) -> Result<(), PipelineError> {
        if self.sampling.decoder == AcousticDecoder::Parallel {
            self.parallel_stage()?;
        }
        self.extend_semantic(&mut tokens.semantic, total)?;
        match self.sampling.decoder {
            AcousticDecoder::Autoregressive => {
                self.extend_coarse(&tokens.semantic, &mut tokens.codes.coarse)?;
                self.extend_fine(&tokens.codes.coarse, &mut tokens.codes.fine)
            }
            AcousticDecoder::Parallel => {
                let Frame { layout, n_coarse } = self.frame;
                let mut codes = layout.join(&tokens.codes, n_coarse)?;
                self.extend_parallel(&tokens.semantic, &mut codes)?;
                tokens.codes = layout.split(&codes, n_coarse)?;
                Ok(())
            }
        }
    }

    /// Each window continues the runs of the last.
    fn extend_semantic(
        &mut self,
        frames: &mut Vec<u32>,
        total: usize,
    ) -> Result<(), PipelineError> {
        let prompt = frames.len();
        let mut windows = 0..;
        while frames.len() < total {
            let known = frames.len();
            let window = next_window(known, total, self.window_frames.semantic);
            let Runs { ids, durations } = Runs::of(&frames[window.start..]);
            let prompt_runs = SemanticPrompt { ids, durations, starts: window.start == 0 };
            let request = SemanticRequest {
                length: Length::Exactly(window.end - known),
                ids: self.sampling.semantic,
                durations: self.sampling.durations,
            };
            let mut rng = self.generator(Part::Semantic, windows.next());
            let mut on_run =
                progress(self.on_progress, Part::Semantic, known - prompt, total - prompt);
            let runs =
                self.models.semantic.generate(&prompt_runs, &request, &mut rng, &mut on_run)?;
            frames.extend(runs.frames()?);
        }
        Ok(())
    }

    /// Each window sees what is said in it, and continues the codes of the last; see [`next_view`].
    fn extend_coarse(
        &mut self,
        semantic: &[u32],
        codes: &mut Vec<u32>,
    ) -> Result<(), PipelineError> {
        let width = self.frame.n_coarse;
        let (prompt, total) = (codes.len() / width, semantic.len());
        let mut windows = 0..;
        while codes.len() / width < total {
            let known = codes.len() / width;
            let view = next_view(prompt, known, total, self.window_frames.coarse);
            let runs = Runs::of(&view.of(semantic, 1));
            let request = CoarseRequest {
                semantic: &runs.ids,
                semantic_frames: &runs.middles(1.0),
                prompt_codes: &view.of(codes, width),
                n_frames: view.latest.end - known,
                sampling: self.sampling.coarse,
                recall: self.sampling.recall,
                recalled_frames: view.n_recorded(prompt),
            };
            let mut rng = self.generator(Part::Coarse, windows.next());
            let mut report =
                progress(self.on_progress, Part::Coarse, known - prompt, total - prompt);
            let drawn =
                self.models.coarse.generate(&request, &mut rng, &mut |n| report(n / width))?;
            codes.extend(drawn);
        }
        Ok(())
    }

    /// In chunks, as in AudioLM (section III-C); but while those know nothing of one another, ours
    /// go on with the codes of the last and see some of the prompt.
    fn extend_fine(&mut self, coarse: &[u32], fine: &mut Vec<u32>) -> Result<(), PipelineError> {
        let (width, n_coarse) = (self.frame.n_fine(), self.frame.n_coarse);
        let (prompt, total) = (fine.len() / width, coarse.len() / n_coarse);
        let mut chunks = 0..;
        while fine.len() / width < total {
            let known = fine.len() / width;
            let view = next_view(prompt, known, total, self.window_frames.fine);
            let request = FineRequest {
                coarse: &view.of(coarse, n_coarse),
                prompt_fine: &view.of(fine, width),
                sampling: self.sampling.fine,
                recall: self.sampling.recall,
                recalled_frames: view.n_recorded(prompt),
            };
            let mut rng = self.generator(Part::Fine, chunks.next());
            let mut report = progress(self.on_progress, Part::Fine, known - prompt, total - prompt);
            let drawn =
                self.models.fine.generate(&request, &mut rng, &mut |n| report(n / width))?;
            fine.extend(drawn);
        }
        Ok(())
    }

    fn generator(&self, stage: Part, window: Option<u64>) -> Generator {
        generator(self.seed, stage.folder(), window.unwrap_or_default())
    }
}

/// Reports frames of one window as frames of the whole request.
fn progress(
    on_progress: &mut dyn FnMut(Progress),
    stage: Part,
    before: usize,
    total: usize,
) -> impl FnMut(usize) {
    move |drawn| on_progress(Progress { stage, done: before + drawn, total })
}
