//! Several continuations of one recording, drawn beside one another.

use audiolm_audio::Clip;
use serde::Serialize;

use super::{AudioLm, Continuation, Generation};
use crate::draw::{Chance, Drawing};
use crate::finishing::{Continued, Finishing};
use crate::heard::Heard;
use crate::{ContinueOptions, Likelihood, PipelineError, Progress, Semantics};

/// One of several continuations.
#[derive(Debug, Clone, PartialEq)]
pub struct Take {
    /// What chance was made of.
    pub seed: u64,
    /// How likely the models find it.
    pub likelihood: Likelihood,
    /// The recording and what follows it.
    pub continuation: Continuation,
}

/// The likeliest of several continuations.
#[derive(Debug, Clone, PartialEq)]
pub struct BestTake {
    /// That one.
    pub take: Take,
    /// All that it was chosen from, in the order of their seeds.
    pub candidates: Vec<Candidate>,
}

/// What a take is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Candidate {
    /// What chance was made of.
    pub seed: u64,
    /// How likely the models find it.
    pub likelihood: Likelihood,
    /// What the best is chosen by: [`Likelihood::score`].
    pub score: f64,
}

impl AudioLm {
    /// Continues a recording `n_takes` times, from `options.seed` and those after it: each as
    /// [`continue_from`](Self::continue_from) does with that seed, but all at once, which takes less
    /// time. (Products of several rows may sum in another order. Where two tokens share a boundary of
    /// chance to the last bits of a number, a take and its twin may part there.)
    ///
    /// # Errors
    /// As [`continue_from`](Self::continue_from).
    ///
    /// # Panics
    /// If `n_takes` is 0.
    pub fn continue_many(
        &self,
        prompt: &Clip,
        options: &ContinueOptions,
        n_takes: usize,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Take>, PipelineError> {
        let heard = self.continued(prompt, options)?;
        let mut drawing =
            self.takes(&heard, options, n_takes)?.with_progress(Box::new(on_progress));
        drawing.draw_fine()?;
        (0..n_takes).map(|idx| self.take(&drawing, idx, &heard)).collect()
    }

    /// Draws what is said and how it sounds roughly `n_takes` times, as
    /// [`continue_many`](Self::continue_many) does, and completes the one that the models find
    /// likeliest, by [`Likelihood::score`]: the earliest of several.
    ///
    /// # Errors
    /// As [`continue_from`](Self::continue_from).
    ///
    /// # Panics
    /// If `n_takes` is 0.
    pub fn continue_best(
        &self,
        prompt: &Clip,
        options: &ContinueOptions,
        n_takes: usize,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<BestTake, PipelineError> {
        let heard = self.continued(prompt, options)?;
        let mut drawing =
            self.takes(&heard, options, n_takes)?.with_progress(Box::new(on_progress));
        drawing.draw_coarse()?;
        let candidate = |(idx, likelihood): (usize, Likelihood)| Candidate {
            seed: options.seed.wrapping_add(idx as u64),
            likelihood,
            score: likelihood.score(),
        };
        let candidates: Vec<_> =
            drawing.likelihoods().into_iter().enumerate().map(candidate).collect();
        let score = |idx: usize| candidates[idx].score;
        let best = (0..n_takes).rev().max_by(|a, b| score(*a).total_cmp(&score(*b)));
        Ok(BestTake { take: self.take(&drawing, best.unwrap_or(0), &heard)?, candidates })
    }

    pub(super) fn takes(
        &self,
        heard: &Heard,
        options: &ContinueOptions,
        n_takes: usize,
    ) -> Result<Drawing<'_>, PipelineError> {
        let mut tokens = self.frame_tokens(heard)?;
        let n_frames = tokens.semantic.len() + self.rate.frames(options.seconds)?;
        if options.semantics == Semantics::LeftOut {
            tokens.semantic.clear();
        }
        let rows = vec![tokens; n_takes];
        Ok(self.drawing(rows, n_frames, Chance::from(options), options.semantics))
    }

    fn take(&self, drawing: &Drawing, idx: usize, heard: &Heard) -> Result<Take, PipelineError> {
        let alone = drawing.alone(idx);
        let (seed, likelihood) = (alone.seed(), drawing.likelihoods()[idx]);
        let finishing = Finishing::Continued(Box::new(Continued::new(heard.clone())));
        let Generation { clip, tokens } = self.blocks(alone, finishing).collected()?;
        let prompt_samples = heard.clip.samples.len();
        Ok(Take { seed, likelihood, continuation: Continuation { clip, prompt_samples, tokens } })
    }
}
