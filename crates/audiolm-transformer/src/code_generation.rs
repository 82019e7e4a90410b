//! Drawing codes one after another: what the coarse and the fine stage generate with.
//!
//! All that changes meanwhile is a [`CodeGeneration`], so that whoever draws may stop after any frame
//! and go on later, or draw from two stages in turns.

use std::ops::Range;

use audiolm_nn::{Generator, product};
use burn::prelude::*;

use crate::codes::{CodeModel, Timed};
use crate::condition::Conditions;
use crate::guidance::Guidance;
use crate::likelihood::LogLikelihood;
#[cfg(test)]
use crate::reading::Reader;
use crate::reading::{Beginning, Begun, Reading};
use crate::recall::{Memory, Recall};
use crate::repetition::Recent;
use crate::sampler::{Sampling, sample_after};
use crate::stage::{on_host, rows_on_host};

/// Codes of one sequence while they are drawn: where a stage is in it, what it remembers of it, and
/// what the rest will be drawn from.
///
/// Room for the whole sequence is taken at the beginning; nothing grows afterwards.
#[derive(Debug)]
pub struct CodeGeneration(CodeGenerations);

/// Codes of several sequences that are drawn together, each from its own generator: a step reads the
/// weights once for all of them.
///
/// Every sequence gets the codes that it would get alone, whatever the others are, but for rounding:
/// products of several rows may sum in another order, so that logits differ in their last bits.
#[derive(Debug)]
pub struct CodeGenerations {
    reading: Reading<Timed>,
    quantizers: Range<usize>,
    /// Sequences of which codes are still to come, in the order of the cache.
    drawn: Vec<Drawn>,
    /// How likely the codes of each sequence are, in the order in which they were asked for.
    likelihoods: Vec<LogLikelihood>,
}

/// One of several sequences while it is drawn.
#[derive(Debug)]
struct Drawn {
    /// Its place among those that were asked for.
    asked: usize,
    memory: Memory,
    sampling: Sampling,
    /// The latest codes of each quantizer.
    recent: Vec<Recent>,
    rng: Generator,
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
    /// What the sequence is told, if anything.
    pub(crate) conditions: Option<Conditions>,
    /// How much that counts.
    pub(crate) guidance: Guidance,
}

/// What is known before a code is drawn.
struct Known<'a> {
    logits: Vec<f32>,
    /// Those of all sequences, `[sequences, d_model]`...
    states: &'a Tensor<2>,
    /// ...and which of them is the sequence's own.
    at: usize,
}

impl CodeGeneration {
    /// How many frames are still to come.
    pub fn n_left(&self) -> usize {
        self.0.n_left()
    }

    /// How many numbers it remembers the sequence by: the same from the first frame to the last.
    pub fn n_numbers(&self) -> usize {
        self.0.n_numbers()
    }

    /// How likely the stage found the codes that it drew.
    pub fn likelihood(&self) -> LogLikelihood {
        self.0.likelihoods[0]
    }
}

impl CodeGenerations {
    /// How many frames are still to come, at most, of a sequence.
    pub fn n_left(&self) -> usize {
        self.drawn.iter().map(|it| it.frames.len()).max().unwrap_or(0)
    }

    /// How many numbers it remembers the sequences by: no more after the first frame than before it.
    pub fn n_numbers(&self) -> usize {
        self.reading.cache().n_numbers()
    }

    /// How likely the stage found the codes that it drew of each sequence.
    pub fn likelihoods(&self) -> &[LogLikelihood] {
        &self.likelihoods
    }

    /// Lets go of the sequences that are complete.
    fn drop_complete(&mut self) {
        let places: Vec<usize> =
            (0..self.drawn.len()).filter(|it| !self.drawn[*it].frames.is_empty()).collect();
        if places.len() < self.drawn.len() {
            self.reading.keep(&places);
            self.drawn.retain(|it| !it.frames.is_empty());
        }
    }
}

impl CodeModel {
    /// Reads the prefix of codes that are to be drawn from `rng`.
    pub(crate) fn begin(&self, continuation: Continuation, rng: Generator) -> CodeGeneration {
        CodeGeneration(self.begin_all(vec![(continuation, rng)]))
    }

    /// Reads the prefixes of codes that are to be drawn of the same quantizers, each from its own
    /// generator.
    ///
    /// # Panics
    /// If there are none.
    pub(crate) fn begin_all(&self, all: Vec<(Continuation, Generator)>) -> CodeGenerations {
        let n_frames = all.iter().map(|(it, _)| it.frames.len()).max().unwrap_or(0);
        let quantizers = all[0].0.quantizers.clone();
        let beginning = |(it, _): &(Continuation, Generator)| Beginning {
            step: it.prefix.clone(),
            conditions: it.conditions.clone(),
            guidance: it.guidance,
        };
        let beginnings: Vec<_> = all.iter().map(beginning).collect();
        let Begun { reading, states } =
            Reading::begin(self, &beginnings, n_frames * quantizers.len());
        let likelihoods = vec![LogLikelihood::default(); all.len()];
        let drawn = all.into_iter().zip(&states).enumerate();
        let drawn = drawn.map(|(asked, ((it, rng), states))| self.drawn(asked, &it, states, rng));
        CodeGenerations { reading, quantizers, drawn: drawn.collect(), likelihoods }
    }

    /// Draws the codes of the next frame, one for each quantizer; none after the last frame.
    pub(crate) fn next_frame(&self, generation: &mut CodeGeneration) -> Option<Vec<u32>> {
        self.next_frames(&mut generation.0).swap_remove(0)
    }

    /// Draws the codes of the next frame of each sequence, or none of one that is complete.
    pub(crate) fn next_frames(&self, all: &mut CodeGenerations) -> Vec<Option<Vec<u32>>> {
        let mut frames = vec![None; all.likelihoods.len()];
        if all.n_left() == 0 {
            return frames;
        }
        all.drop_complete();
        for quantizer in all.quantizers.clone() {
            for (asked, code) in self.next_codes(all, quantizer) {
                frames[asked].get_or_insert_with(Vec::new).push(code);
            }
        }
        all.drawn.iter_mut().for_each(|it| it.frames.start += 1);
        frames
    }

    /// Draws all that is left.
    pub(crate) fn rest(&self, mut generation: CodeGeneration) -> Vec<u32> {
        std::iter::from_fn(|| self.next_frame(&mut generation)).flatten().collect()
    }

    /// The next code of each sequence that is not complete, beside its place.
    fn next_codes(&self, all: &mut CodeGenerations, quantizer: usize) -> Vec<(usize, u32)> {
        let states = all.reading.states(self);
        let idx = quantizer - all.quantizers.start;
        let logits = self.logits(states.clone(), quantizer);
        let mut codes = Vec::with_capacity(all.drawn.len());
        for (at, drawn) in all.drawn.iter_mut().enumerate() {
            let guided = all.reading.guided(&logits, at);
            let code = drawn.draw(idx, Known { logits: guided, states: &states, at });
            all.likelihoods[drawn.asked].count(&logits[at], code as usize);
            codes.push((drawn.asked, code));
        }
        let ends_frame = usize::from(quantizer + 1 == all.quantizers.end);
        let read = |(drawn, (_, code)): (&Drawn, &(usize, u32))| Timed {
            tokens: vec![self.token(quantizer, *code)],
            frames: vec![(drawn.frames.start + ends_frame) as u32],
        };
        all.reading.put(all.drawn.iter().zip(&codes).map(read).collect());
        codes
    }

    /// A sequence that is to be drawn.
    ///
    /// # Shapes
    /// - states: `[1, time, d_model]`, those after each token of the prefix
    fn drawn(
        &self,
        asked: usize,
        continuation: &Continuation,
        states: &Tensor<3>,
        rng: Generator,
    ) -> Drawn {
        let Continuation { quantizers, frames, sampling, .. } = continuation;
        let width = quantizers.len();
        let codes = self.codes(continuation);
        let of = |idx: usize| {
            let codes = codes.iter().skip(idx).step_by(width).copied();
            Recent::of(codes, sampling.repetition)
        };
        let recent = (0..width).map(of).collect();
        let memory = self.memory(continuation, states);
        Drawn { asked, memory, sampling: *sampling, recent, rng, frames: frames.clone() }
    }

    /// The codes at the end of the prefix, those of the frames before the ones to draw.
    fn codes(&self, continuation: &Continuation) -> Vec<u32> {
        let Continuation { prefix, quantizers, frames, .. } = continuation;
        let first = prefix.tokens.len() - frames.start * quantizers.len();
        prefix.tokens[first..].iter().map(|it| self.code(*it)).collect()
    }

    /// The codes of the prefix that may be recalled, each with the state before it: that of the
    /// token before.
    ///
    /// # Shapes
    /// - states: `[1, time, d_model]`, those after each token of the prefix
    fn memory(&self, continuation: &Continuation, states: &Tensor<3>) -> Memory {
        let Continuation { prefix, quantizers, frames, recall, .. } = continuation;
        let width = quantizers.len();
        let n_frames = if recall.share > 0.0 { continuation.recalled_frames } else { 0 };
        let first = prefix.tokens.len() - frames.start * width;
        let end = first + n_frames.min(frames.start) * width;
        let [_, _, d_model] = states.dims();
        let before = on_host(states.clone().slice_dim(1, first - 1..end).flatten(0, 2));
        let codes = self.codes(continuation).into_iter().take(end - first);
        Memory::new(*recall, width, codes.zip(before.chunks_exact(d_model)))
    }

    /// The scores of the codes of a quantizer in each of some states, `[n, d_model]`.
    fn logits(&self, states: Tensor<2>, quantizer: usize) -> Vec<Vec<f32>> {
        let head = self.rows(quantizer..quantizer + 1).transpose();
        rows_on_host(product(states, head))
    }
}

impl Drawn {
    /// Draws the code of the quantizer at `idx`.
    fn draw(&mut self, idx: usize, known: Known) -> u32 {
        let Self { memory, sampling, recent, rng, .. } = self;
        let Known { logits, states, at } = known;
        let state = || on_host(states.clone().slice_dim(0, at..at + 1).flatten(0, 1));
        let logits = memory.mixed(logits, state, idx, sampling);
        let code = sample_after(&logits, sampling, recent[idx].tokens(), rng) as u32;
        recent[idx].push(code);
        code
    }
}

#[cfg(test)]
impl CodeModel {
    /// The log-likelihoods of one row's codes, read one by one from the cache.
    pub(crate) fn log_likelihoods_stepwise(
        &self,
        prefix: Timed,
        codes: &[u32],
        quantizers: Range<usize>,
        conditions: Option<&Conditions>,
    ) -> Vec<f32> {
        let tokens = self.predicted(codes, quantizers.clone());
        let capacity = prefix.tokens.len() + tokens.tokens.len();
        let mut cache = self.cache_behind(0, capacity, conditions);
        let mut next = prefix;
        let score = |(at, code): (usize, &u32)| {
            next.tokens.push(tokens.tokens[at]);
            next.frames.push(tokens.frames[at]);
            let state = tests::last(self.read(std::slice::from_ref(&next), &mut cache));
            let logits = self.logits(state, quantizers.start + at % quantizers.len());
            next = Timed::default();
            crate::laws::log_softmax(&logits[0])[*code as usize]
        };
        codes.iter().enumerate().map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use crate::laws;
    use crate::repetition::Repetition;
    use crate::sampler::sample;
    use audiolm_nn::generator;
    use proptest::prelude::*;

    /// No code of a quantizer comes twice, so that it names its place.
    const CODES: [u32; 8] = [5, 1, 0, 4, 7, 2, 3, 6];

    fn model() -> CodeModel {
        laws::seeded(crate::codes::tiny(3, 2, 8))
    }

    /// The last state of one sequence, `[1, d_model]`.
    pub(super) fn last(states: Tensor<3>) -> Tensor<2> {
        let [_, time, _] = states.dims();
        states.slice_dim(1, time - 1..time).squeeze_dim(0)
    }

    /// Frames that are given, then some that are predicted.
    fn prefix(model: &CodeModel, n_given: usize, codes: &[u32]) -> Timed {
        model.given(&vec![2; 2 * n_given], 0..2).then(model.predicted(codes, 0..2))
    }

    fn continuation(model: &CodeModel, n_frames: usize) -> Continuation {
        Continuation {
            prefix: prefix(model, 1, &CODES),
            quantizers: 0..2,
            frames: 4..4 + n_frames,
            sampling: Sampling::at(1.0),
            recall: Recall { share: 1.0, sharpness: 1e4 },
            recalled_frames: 4,
            conditions: None,
            guidance: Guidance::NONE,
        }
    }

    fn rng(seed: u64) -> Generator {
        generator(seed, "test", 0)
    }

    #[test]
    fn each_code_is_remembered_with_the_state_before_it() {
        let model = model();
        let generation = model.begin(continuation(&model, 1), rng(0));
        let drawn = &generation.0.drawn[0];
        for (at, code) in CODES.into_iter().enumerate() {
            let whole = prefix(&model, 1, &CODES);
            let before = Timed {
                tokens: whole.tokens[..3 + at].to_vec(),
                frames: whole.frames[..3 + at].to_vec(),
            };
            let state = last(model.read(&[before], &mut model.cache(3 + at)));
            let state = || on_host(state.flatten(0, 1));
            let mixed = drawn.memory.mixed(vec![0.0; 8], state, at % 2, &Sampling::GREEDY);
            assert_eq!(sample(&mixed, &Sampling::GREEDY, &mut rng(0)) as u32, code, "code {at}");
        }
    }

    #[test]
    fn two_sequences_can_be_drawn_in_turns() {
        let model = model();
        let begin = |seed| {
            let continuation = Continuation { recall: Recall::NONE, ..continuation(&model, 20) };
            model.begin(continuation, rng(seed))
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
        let mut generation = model.begin(continuation(&model, 30), rng(0));
        let n_numbers = generation.n_numbers();
        while model.next_frame(&mut generation).is_some() {
            assert_eq!(generation.n_numbers(), n_numbers);
        }
        // The last code is drawn but never read.
        let cache = generation.0.reading.cache();
        assert_eq!(cache.seen() + 1, cache.capacity());
    }

    /// Sequences of different lengths before and behind, drawn in different ways.
    #[derive(Debug, Clone)]
    struct Asked {
        n_given: usize,
        n_prompt: usize,
        n_frames: usize,
        temperature: f64,
        n_vectors: usize,
        scale: f64,
    }

    fn asked() -> impl Strategy<Value = Asked> {
        let lengths = (0..6usize, 0..5usize, 0..9usize, 0..4usize);
        let scale = prop_oneof![Just(1.0), 0.0..3.0f64];
        (lengths, 0.0..2.0f64, scale).prop_map(|(lengths, temperature, scale)| {
            let (n_given, n_prompt, n_frames, n_vectors) = lengths;
            Asked { n_given, n_prompt, n_frames, temperature, n_vectors, scale }
        })
    }

    fn request(model: &CodeModel, asked: &Asked) -> Continuation {
        let Asked { n_given, n_prompt, n_frames, temperature, n_vectors, scale } = *asked;
        let condition = (n_vectors > 0).then(|| laws::condition(n_vectors, 1));
        let repetition = Repetition::Redraw { share: 0.3, window: 5 };
        Continuation {
            prefix: prefix(model, n_given, &CODES[..2 * n_prompt]),
            quantizers: 0..2,
            frames: n_prompt..n_prompt + n_frames,
            sampling: Sampling { repetition, ..Sampling::at(temperature) },
            recall: Recall { share: 0.2, sharpness: 1.0 },
            recalled_frames: 2,
            conditions: model.conditions(&[condition.as_ref()]).unwrap(),
            guidance: Guidance { scale },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_sequence_is_drawn_in_a_batch_as_it_is_alone(
            asked in proptest::collection::vec(asked(), 1..6), is_prefix: bool, seed: u64,
        ) {
            let by = laws::WAYS[usize::from(is_prefix)];
            let model = laws::seeded(codes::tiny_with(laws::told_decoder(by), 3, [2, 8]));
            let one = |at: usize| (request(&model, &asked[at]), rng(seed ^ at as u64));
            let mut together = model.begin_all((0..asked.len()).map(one).collect());
            let mut codes = vec![Vec::new(); asked.len()];
            while together.n_left() > 0 {
                let frames = model.next_frames(&mut together);
                for (codes, frame) in codes.iter_mut().zip(frames) {
                    codes.extend(frame.unwrap_or_default());
                }
            }
            for (at, codes) in codes.into_iter().enumerate() {
                let (continuation, rng) = one(at);
                let mut alone = model.begin(continuation, rng);
                let expected: Vec<u32> =
                    std::iter::from_fn(|| model.next_frame(&mut alone)).flatten().collect();
                prop_assert_eq!(codes, expected);
                let (found, expected) = (together.likelihoods()[at], alone.likelihood());
                prop_assert!((found.nats - expected.nats).abs() < 1e-3);
                prop_assert_eq!(found.tokens, expected.tokens);
            }
        }
    }
}
