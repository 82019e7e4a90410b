//! What the coarse and the fine stage share: a table of codes that embeds and scores, and the
//! drawing of one code after another.
//!
//! The code at position i (from 1) of a row is shifted by o_i = ((i − 1) mod Q)·N (AudioLM, section
//! III-C), here behind the other tokens, so that no two quantizers share a token.

use std::ops::Range;

use audiolm_nn::Generator;
use burn::module::Param;
use burn::prelude::*;

use crate::clock::{Clock, ClockFeatures};
use crate::condition::{Condition, Conditions};
use crate::decoder::Decoder;
use crate::error::TokenError;
use crate::kv_cache::KvCache;
use crate::layout::CodeLayout;
use crate::recall::{Memory, Recall};
use crate::sampler::{Sampling, sample};
use crate::stage::{Padded, at_positions, embedding_table, nll, on_host};

/// A decoder over a vocabulary whose last part are the codes of some quantizers.
///
/// One table embeds a token where it is read and scores it where it is predicted. A position
/// scores only the N codes of its own quantizer, all of them.
#[derive(Module, Debug)]
pub struct CodeModel {
    decoder: Decoder,
    clock: Clock,
    /// `[others + quantizers · codes, d_model]`.
    table: Param<Tensor<2>>,
    /// Tokens before the first code; the last of them separates.
    n_others: usize,
    n_quantizers: usize,
    codebook_size: usize,
}

/// Tokens of one row, and the frame of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timed {
    pub(crate) tokens: Vec<u32>,
    pub(crate) frames: Vec<u32>,
}

/// Sequences, and which of their codes are predicted where.
#[derive(Debug, Clone)]
pub(crate) struct CodeSequences {
    /// The tokens that are read, one row per clip.
    pub(crate) inputs: Vec<Timed>,
    /// Position of the first prediction of each row, and how many frames it predicts.
    pub(crate) predicted: Vec<Predicted>,
    /// The codes to be predicted, all rows' one after another, row-major.
    pub(crate) targets: Vec<u32>,
    /// The quantizers of each predicted frame.
    pub(crate) quantizers: Range<usize>,
    /// What each row is told.
    pub(crate) conditions: Option<Conditions>,
}

/// The predictions of one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Predicted {
    pub(crate) first_position: usize,
    pub(crate) n_frames: usize,
}

/// What to draw: the codes of `frames` after `prefix`, for `quantizers` in turn.
#[derive(Debug)]
pub(crate) struct Continuation<'a> {
    pub(crate) prefix: Timed,
    pub(crate) quantizers: Range<usize>,
    pub(crate) frames: Range<usize>,
    pub(crate) sampling: &'a Sampling,
    /// Of the codes at the end of the prefix, `frames.start` frames of them...
    pub(crate) recall: Recall,
    /// ...those of so many of the first.
    pub(crate) recalled_frames: usize,
    /// What the row is told.
    pub(crate) conditions: Option<Conditions>,
}

impl CodeModel {
    pub(crate) fn new(decoder: Decoder, n_others: usize, layout: CodeLayout) -> Self {
        let (n_quantizers, codebook_size) = (layout.n_quantizers(), layout.codebook_size());
        let vocabulary = n_others + n_quantizers * codebook_size;
        let table = embedding_table(vocabulary, decoder.d_model(), &decoder.device());
        let clock = Clock::init(decoder.n_heads(), &decoder.device());
        Self { decoder, clock, table, n_others, n_quantizers, codebook_size }
    }

    pub(crate) fn layout(&self) -> CodeLayout {
        CodeLayout::of_model(self.n_quantizers, self.codebook_size)
    }

    /// What rows are told, for their [`CodeSequences`] or [`Continuation`].
    pub(crate) fn conditions(
        &self,
        rows: &[Option<&Condition>],
    ) -> Result<Option<Conditions>, TokenError> {
        self.decoder.conditions(rows)
    }

    /// Row-major codes of `quantizers` that are given: each at its own frame.
    pub(crate) fn given(&self, codes: &[u32], quantizers: Range<usize>) -> Timed {
        let width = quantizers.len();
        let token = |(at, code): (usize, &u32)| self.token(quantizers.start + at % width, *code);
        let tokens = codes.iter().enumerate().map(token).collect();
        Timed { tokens, frames: (0..codes.len()).map(|at| (at / width) as u32).collect() }
    }

    /// Row-major codes of `quantizers` that are predicted, after the separator that predicts the
    /// first: each at the frame of the code after it, which is the one to look around in.
    pub(crate) fn predicted(&self, codes: &[u32], quantizers: Range<usize>) -> Timed {
        let width = quantizers.len();
        let Timed { tokens, .. } = self.given(codes, quantizers);
        let tokens: Vec<u32> = [self.separator()].into_iter().chain(tokens).collect();
        let frames = (0..tokens.len()).map(|at| (at / width) as u32).collect();
        Timed { tokens, frames }
    }

    /// The token between what is given and what is predicted: the last before the codes.
    fn separator(&self) -> u32 {
        self.n_others as u32 - 1
    }

    /// The token of a code: shifted past the other tokens, and the codes of the quantizers before.
    pub(crate) fn token(&self, quantizer: usize, code: u32) -> u32 {
        (self.n_others + quantizer * self.codebook_size) as u32 + code
    }

    /// The code of a token that is one.
    fn code(&self, token: u32) -> u32 {
        (token - self.n_others as u32) % self.codebook_size as u32
    }

    /// The negative log-likelihood of every predicted code, `[quantizers · frames]`: all frames of
    /// the first predicted quantizer, then of the next.
    pub(crate) fn nll(&self, sequences: &CodeSequences) -> Tensor<1> {
        let (embedded, clock) = self.read(&sequences.inputs);
        let conditions = sequences.conditions.as_ref();
        let hidden = self.decoder.forward_timed(embedded, Some(clock), conditions);
        let hidden = at_positions(hidden, &sequences.positions());
        let width = sequences.quantizers.len();
        let [n, d_model] = hidden.dims();
        let hidden = hidden.reshape([width, n / width, d_model]);
        let logits = hidden.matmul(self.heads(sequences.quantizers.clone()));
        nll(logits.reshape([n, self.codebook_size]), &sequences.targets_by_quantizer())
    }

    /// What the decoder reads: which tokens, and when they sound.
    fn read(&self, rows: &[Timed]) -> (Tensor<3>, ClockFeatures) {
        let tokens = Padded::new(rows.iter().map(|row| &row.tokens));
        let frames = Padded::new(rows.iter().map(|row| &row.frames));
        let frames = Tensor::<1, Int>::from_data(frames.tokens.as_slice(), &self.decoder.device())
            .reshape([tokens.batch, tokens.time]);
        (tokens.embed(self.table.val()), self.clock.features(frames.float()))
    }

    /// What scores the codes of some quantizers: `[quantizers, d_model, codes]`.
    fn heads(&self, quantizers: Range<usize>) -> Tensor<3> {
        let (width, d_model) = (quantizers.len(), self.decoder.d_model());
        let start = self.token(quantizers.start, 0) as usize;
        let end = self.token(quantizers.end, 0) as usize;
        let rows = self.table.val().slice_dim(0, start..end);
        rows.reshape([width, self.codebook_size, d_model]).swap_dims(1, 2)
    }

    /// Draws codes one after another; `on_code` hears how many there are.
    pub(crate) fn draw(
        &self,
        continuation: &Continuation,
        rng: &mut Generator,
        on_code: &mut dyn FnMut(usize),
    ) -> Vec<u32> {
        let Continuation { prefix, quantizers, frames, sampling, .. } = continuation;
        let n_codes = quantizers.len() * frames.len();
        let capacity = prefix.tokens.len() + n_codes;
        let mut reader = self.reader(capacity, continuation.conditions.as_ref());
        let mut next = prefix.clone();
        let mut codes = Vec::with_capacity(n_codes);
        let mut memory = None;
        for frame in frames.clone() {
            for (idx, quantizer) in quantizers.clone().enumerate() {
                let states = reader.states(&next);
                let memory = memory.get_or_insert_with(|| self.memory(continuation, &states));
                let state = last(states);
                let logits = self.logits(state.clone(), quantizer);
                let state = || on_host(state.flatten(0, 1));
                let logits = memory.mixed(logits, state, idx, sampling);
                let code = sample(&logits, sampling, rng) as u32;
                let ends_frame = quantizer + 1 == quantizers.end;
                next = Timed {
                    tokens: vec![self.token(quantizer, code)],
                    frames: vec![(frame + usize::from(ends_frame)) as u32],
                };
                codes.push(code);
                on_code(codes.len());
            }
        }
        codes
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
        let logits = state.unsqueeze_dim(0).matmul(self.heads(quantizer..quantizer + 1));
        on_host(logits.reshape([self.codebook_size]))
    }

    /// A reader of one sequence of up to `capacity` tokens.
    fn reader(&self, capacity: usize, conditions: Option<&Conditions>) -> Reader<'_> {
        Reader { model: self, cache: self.decoder.timed_cache(1, capacity, conditions) }
    }
}

/// A model in the middle of one sequence.
struct Reader<'a> {
    model: &'a CodeModel,
    cache: KvCache,
}

impl Reader<'_> {
    /// Reads tokens; the states after each of them, `[time, d_model]`.
    fn states(&mut self, tokens: &Timed) -> Tensor<2> {
        let (embedded, clock) = self.model.read(std::slice::from_ref(tokens));
        let states = self.model.decoder.step_timed(embedded, Some(clock), &mut self.cache);
        states.squeeze_dim(0)
    }
}

/// The last of states, `[1, d_model]`.
fn last(states: Tensor<2>) -> Tensor<2> {
    let [time, _] = states.dims();
    states.slice_dim(0, time - 1..time)
}

impl Timed {
    /// This, then `rest`.
    pub(crate) fn then(mut self, rest: Timed) -> Timed {
        self.tokens.extend(rest.tokens);
        self.frames.extend(rest.frames);
        self
    }
}

impl CodeSequences {
    /// Where each prediction is made, in the order of [`CodeModel::nll`].
    fn positions(&self) -> Vec<i32> {
        let width = self.quantizers.len();
        let time = self.inputs.iter().map(|row| row.tokens.len()).max().unwrap_or(0);
        let of_quantizer = |idx: usize| {
            self.predicted.iter().enumerate().flat_map(move |(row, it)| {
                let first = row * time + it.first_position + idx;
                (0..it.n_frames).map(move |frame| (first + frame * width) as i32)
            })
        };
        (0..width).flat_map(of_quantizer).collect()
    }

    fn targets_by_quantizer(&self) -> Vec<i32> {
        let width = self.quantizers.len();
        (0..width)
            .flat_map(|idx| self.targets.iter().skip(idx).step_by(width).map(|code| *code as i32))
            .collect()
    }

    /// Negative log-likelihoods as the model gives them, as log-likelihoods in the order of rows.
    pub(crate) fn log_likelihoods(&self, nll: Tensor<1>) -> Vec<Vec<f32>> {
        let width = self.quantizers.len();
        let n_frames = self.targets.len() / width;
        let row_major = nll.reshape([width, n_frames]).transpose().neg();
        let lengths = self.predicted.iter().map(|it| it.n_frames * width);
        crate::stage::in_rows(&on_host(row_major.reshape([-1])), lengths)
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
        let mut reader = self.reader(capacity, conditions);
        let mut next = prefix;
        let score = |(at, code): (usize, &u32)| {
            next.tokens.push(tokens.tokens[at]);
            next.frames.push(tokens.frames[at]);
            let state = last(reader.states(&next));
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
    use proptest::prelude::*;

    fn model(n_others: usize, n_quantizers: usize, codebook_size: usize) -> CodeModel {
        let decoder = laws::tiny_decoder().init(&Device::default()).unwrap();
        CodeModel::new(decoder, n_others, CodeLayout::new(n_quantizers, codebook_size).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn every_code_of_every_quantizer_has_its_own_token(
            n_others in 1..6usize, n_quantizers in 1..7usize, size in 1..50usize,
        ) {
            let model = model(n_others, n_quantizers, size);
            for quantizer in 0..n_quantizers {
                for code in 0..size as u32 {
                    let token = model.token(quantizer, code);
                    let expected = n_others + quantizer * size + code as usize;
                    prop_assert_eq!(token as usize, expected);
                    prop_assert_eq!(model.code(token), code);
                }
            }
        }
    }

    #[test]
    fn rows_are_frames() {
        let given = model(3, 3, 10).given(&[1, 7, 2, 8], 1..3);
        assert_eq!(given.tokens, [14, 30, 15, 31]);
        assert_eq!(given.frames, [0, 0, 1, 1]);
    }

    #[test]
    fn each_code_is_remembered_with_the_state_before_it() {
        let device = Device::default();
        device.seed(0);
        let model = model(3, 2, 8);
        // No code of a quantizer comes twice, so that it names its place.
        let codes = [5, 1, 0, 4, 7, 2, 3, 6];
        let prefix = model.given(&[2, 2], 0..2).then(model.predicted(&codes, 0..2));
        let continuation = Continuation {
            prefix: prefix.clone(),
            quantizers: 0..2,
            frames: 4..5,
            sampling: &Sampling::GREEDY,
            recall: Recall { share: 1.0, sharpness: 1e4 },
            recalled_frames: 4,
            conditions: None,
        };
        let states = model.reader(prefix.tokens.len(), None).states(&prefix);
        let memory = model.memory(&continuation, &states);
        for (at, code) in codes.into_iter().enumerate() {
            let before = Timed {
                tokens: prefix.tokens[..3 + at].to_vec(),
                frames: prefix.frames[..3 + at].to_vec(),
            };
            let state = on_host(last(model.reader(3 + at, None).states(&before)).flatten(0, 1));
            let mixed = memory.mixed(vec![0.0; 8], || state, at % 2, &Sampling::GREEDY);
            let mut rng = audiolm_nn::generator(0, "test", 0);
            assert_eq!(sample(&mixed, &Sampling::GREEDY, &mut rng) as u32, code, "code {at}");
        }
    }
}
