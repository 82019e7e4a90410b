//! Drawing codes one after another: what the coarse and the fine stage generate with.
//!
//! All that changes meanwhile is a [`CodeGeneration`], so that whoever draws may stop after any frame
//! and go on later, or draw from two stages in turns.

use std::ops::Range;

use audiolm_nn::{Generator, product};
use burn::prelude::*;

use crate::codes::{CodeModel, Timed};
use crate::kv_cache::KvCache;
use crate::recall::{Memory, Recall};
use crate::sampler::{Sampling, sample};
use crate::stage::on_host;

/// Codes while they are drawn: where a stage is in one sequence, what it remembers of it, and what
/// the rest will be drawn from.
///
/// Room for the whole sequence is taken at the beginning; nothing grows afterwards.
#[derive(Debug)]
pub struct CodeGeneration {
    cache: KvCache,
    /// The state after all that was read, `[1, d_model]`.
    state: Tensor<2>,
    /// The code that was drawn last, unless it was read.
    unread: Option<Timed>,
    memory: Memory,
    sampling: Sampling,
    rng: Generator,
    quantizers: Range<usize>,
    /// Those that are still to come.
    frames: Range<usize>,
}

/// What to draw: the codes of `frames` after `prefix`, for `quantizers` in turn.
#[derive(Debug)]
pub(crate) struct Continuation {
    pub(crate) prefix: Timed,
    pub(crate) quantizers: Range<usize>,
    pub(crate) frames: Range<usize>,
    pub(crate) sampling: Sampling,
    /// Of the codes at the end of the prefix, `frames.start` frames of them...
    pub(crate) recall: Recall,
    /// ...those of so many of the first.
    pub(crate) recalled_frames: usize,
}

/// Where a code stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    frame: usize,
    quantizer: usize,
}

impl CodeGeneration {
    /// How many frames are still to come.
    pub fn n_left(&self) -> usize {
        self.frames.len()
    }

    /// How many numbers it remembers the sequence by: the same from the first frame to the last.
    pub fn n_numbers(&self) -> usize {
        self.cache.n_numbers()
    }
}

impl CodeModel {
    /// Reads the prefix of codes that are to be drawn from `rng`.
    pub(crate) fn begin(&self, continuation: &Continuation, rng: Generator) -> CodeGeneration {
        let Continuation { prefix, quantizers, frames, sampling, .. } = continuation;
        let n_codes = quantizers.len() * frames.len();
        let mut cache = self.cache(prefix.tokens.len() + n_codes);
        let states = self.states(prefix, &mut cache);
        CodeGeneration {
            cache,
            memory: self.memory(continuation, &states),
            state: last(states),
            unread: None,
            sampling: *sampling,
            rng,
            quantizers: quantizers.clone(),
            frames: frames.clone(),
        }
    }

    /// Draws the codes of the next frame, one for each quantizer; none after the last frame.
    pub(crate) fn next_frame(&self, generation: &mut CodeGeneration) -> Option<Vec<u32>> {
        let frame = generation.frames.next()?;
        let quantizers = generation.quantizers.clone();
        let draw = |quantizer| self.next_code(generation, Place { frame, quantizer });
        Some(quantizers.map(draw).collect())
    }

    /// Draws all that is left.
    pub(crate) fn rest(&self, mut generation: CodeGeneration) -> Vec<u32> {
        std::iter::from_fn(|| self.next_frame(&mut generation)).flatten().collect()
    }

    fn next_code(&self, generation: &mut CodeGeneration, place: Place) -> u32 {
        let CodeGeneration { cache, state, unread, memory, sampling, rng, quantizers, .. } =
            generation;
        if let Some(unread) = unread.take() {
            *state = last(self.states(&unread, cache));
        }
        let idx = place.quantizer - quantizers.start;
        let logits = self.logits(state.clone(), place.quantizer);
        let logits = memory.mixed(logits, || on_host(state.clone().flatten(0, 1)), idx, sampling);
        let code = sample(&logits, sampling, rng) as u32;
        let ends_frame = place.quantizer + 1 == quantizers.end;
        *unread = Some(Timed {
            tokens: vec![self.token(place.quantizer, code)],
            frames: vec![(place.frame + usize::from(ends_frame)) as u32],
        });
        code
    }

    /// The codes of the prefix that may be recalled, each with the state before it: that of the
    /// token before.
    ///
    /// # Shapes
    /// - states: `[time, d_model]`, those after each token of the prefix
    fn memory(&self, continuation: &Continuation, states: &Tensor<2>) -> Memory {
        let Continuation { prefix, quantizers, frames, recall, .. } = continuation;
        let width = quantizers.len();
        let n_frames = if recall.share > 0.0 { continuation.recalled_frames } else { 0 };
        let first = prefix.tokens.len() - frames.start * width;
        let end = first + n_frames.min(frames.start) * width;
        let [_, d_model] = states.dims();
        let before = on_host(states.clone().slice_dim(0, first - 1..end).flatten(0, 1));
        let codes = prefix.tokens[first..end].iter().map(|it| self.code(*it));
        Memory::new(*recall, width, codes.zip(before.chunks_exact(d_model)))
    }

    /// The scores of the codes of a quantizer in a state, `[1, d_model]`.
    fn logits(&self, state: Tensor<2>, quantizer: usize) -> Vec<f32> {
        let head = self.rows(quantizer..quantizer + 1).transpose();
        on_host(product(state, head).flatten(0, 1))
    }
}

/// The last of states, `[1, d_model]`.
fn last(states: Tensor<2>) -> Tensor<2> {
    let [time, _] = states.dims();
    states.slice_dim(0, time - 1..time)
}

#[cfg(test)]
impl CodeModel {
    /// The log-likelihoods of one row's codes, read one by one from the cache.
    pub(crate) fn log_likelihoods_stepwise(
        &self,
        prefix: Timed,
        codes: &[u32],
        quantizers: Range<usize>,
    ) -> Vec<f32> {
        let tokens = self.predicted(codes, quantizers.clone());
        let mut cache = self.cache(prefix.tokens.len() + tokens.tokens.len());
        let mut next = prefix;
        let score = |(at, code): (usize, &u32)| {
            next.tokens.push(tokens.tokens[at]);
            next.frames.push(tokens.frames[at]);
            let state = last(self.states(&next, &mut cache));
            let logits = self.logits(state, quantizers.start + at % quantizers.len());
            next = Timed::default();
            crate::laws::log_softmax(&logits)[*code as usize]
        };
        codes.iter().enumerate().map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;
    use audiolm_nn::generator;

    /// No code of a quantizer comes twice, so that it names its place.
    const CODES: [u32; 8] = [5, 1, 0, 4, 7, 2, 3, 6];

    fn model() -> CodeModel {
        laws::seeded(crate::codes::tiny(3, 2, 8))
    }

    /// One frame that is given, then some that are predicted.
    fn prefix(model: &CodeModel, codes: &[u32]) -> Timed {
        model.given(&[2, 2], 0..2).then(model.predicted(codes, 0..2))
    }

    fn continuation(model: &CodeModel, n_frames: usize) -> Continuation {
        Continuation {
            prefix: prefix(model, &CODES),
            quantizers: 0..2,
            frames: 4..4 + n_frames,
            sampling: Sampling::at(1.0),
            recall: Recall { share: 1.0, sharpness: 1e4 },
            recalled_frames: 4,
        }
    }

    #[test]
    fn each_code_is_remembered_with_the_state_before_it() {
        let model = model();
        let generation = model.begin(&continuation(&model, 1), generator(0, "test", 0));
        for (at, code) in CODES.into_iter().enumerate() {
            let whole = prefix(&model, &CODES);
            let before = Timed {
                tokens: whole.tokens[..3 + at].to_vec(),
                frames: whole.frames[..3 + at].to_vec(),
            };
            let state = last(model.states(&before, &mut model.cache(3 + at)));
            let state = || on_host(state.flatten(0, 1));
            let mixed = generation.memory.mixed(vec![0.0; 8], state, at % 2, &Sampling::GREEDY);
            let mut rng = generator(0, "test", 0);
            assert_eq!(sample(&mixed, &Sampling::GREEDY, &mut rng) as u32, code, "code {at}");
        }
    }

    #[test]
    fn two_sequences_can_be_drawn_in_turns() {
        let model = model();
        let begin = |seed| {
            let continuation = Continuation { recall: Recall::NONE, ..continuation(&model, 20) };
            model.begin(&continuation, generator(seed, "test", 0))
        };
        let alone = [1, 2].map(|seed| model.rest(begin(seed)));
        assert_ne!(alone[0], alone[1]);
        let mut generations = [1, 2].map(begin);
        let mut in_turns = [Vec::new(), Vec::new()];
        for n_left in (0..20).rev() {
            for (generation, codes) in generations.iter_mut().zip(&mut in_turns) {
                codes.extend(model.next_frame(generation).unwrap());
                assert_eq!(generation.n_left(), n_left);
            }
        }
        assert_eq!(in_turns, alone);
        assert!(generations.iter_mut().all(|it| model.next_frame(it).is_none()));
    }

    #[test]
    fn nothing_grows_while_codes_are_drawn() {
        let model = model();
        let mut generation = model.begin(&continuation(&model, 30), generator(0, "test", 0));
        let n_numbers = generation.n_numbers();
        while model.next_frame(&mut generation).is_some() {
            assert_eq!(generation.n_numbers(), n_numbers);
        }
        // The last code is drawn but never read.
        assert_eq!(generation.cache.seen() + 1, generation.cache.capacity());
    }
}
