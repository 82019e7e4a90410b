//! What the coarse and the fine stage share: a table of codes that embeds and scores.
//!
//! Codes are shifted so that no two quantizers share a token (see `layout.rs`), here behind the other
//! tokens.

use std::ops::Range;

use audiolm_nn::Weights;
use burn::module::Param;
use burn::prelude::*;

use crate::activations::Activations;
use crate::clock::{Clock, ClockFeatures};
use crate::condition::{Condition, Conditions};
use crate::decoder::Decoder;
use crate::error::TokenError;
use crate::kv_cache::KvCache;
use crate::layout::CodeLayout;
use crate::reading::Reader;
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

impl CodeModel {
    pub(crate) fn new(decoder: Decoder, n_others: usize, layout: CodeLayout) -> Self {
        let (n_quantizers, codebook_size) = (layout.n_quantizers(), layout.codebook_size());
        let vocabulary = n_others + n_quantizers * codebook_size;
        let table = embedding_table(vocabulary, decoder.d_model(), &decoder.device());
        let clock = Clock::init(decoder.n_heads(), &decoder.device());
        Self { decoder, clock, table, n_others, n_quantizers, codebook_size }
    }

    pub(crate) fn with_weights(self, weights: Weights) -> Self {
        Self { decoder: self.decoder.with_weights(weights), ..self }
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
        self.n_others as u32 + self.layout().token(quantizer, code)
    }

    /// The code of a token that is one.
    pub(crate) fn code(&self, token: u32) -> u32 {
        self.layout().code(token - self.n_others as u32).1
    }

    /// The negative log-likelihood of every predicted code, `[quantizers · frames]`: all frames of
    /// the first predicted quantizer, then of the next.
    pub(crate) fn nll(
        &self,
        sequences: &CodeSequences,
        activations: &mut Activations,
    ) -> Tensor<1> {
        let (embedded, clock) = self.embedded(&sequences.inputs);
        let conditions = sequences.conditions.as_ref();
        let hidden = self.decoder.forward_leaving(embedded, Some(clock), conditions, activations);
        let hidden = at_positions(hidden, &sequences.positions());
        let width = sequences.quantizers.len();
        let [n, d_model] = hidden.dims();
        let hidden = hidden.reshape([width, n / width, d_model]);
        let logits = hidden.matmul(self.heads(sequences.quantizers.clone()));
        nll(logits.reshape([n, self.codebook_size]), &sequences.targets_by_quantizer())
    }

    /// What the decoder reads: which tokens, and when they sound.
    fn embedded(&self, rows: &[Timed]) -> (Tensor<3>, ClockFeatures) {
        let tokens = Padded::new(rows.iter().map(|row| &row.tokens));
        let frames = Padded::new(rows.iter().map(|row| &row.frames));
        let frames = Tensor::<1, Int>::from_data(frames.tokens.as_slice(), &self.decoder.device())
            .reshape([tokens.batch, tokens.time]);
        (tokens.embed(self.table.val()), self.clock.features(frames.float()))
    }

    /// What scores the codes of some quantizers: `[quantizers, d_model, codes]`.
    fn heads(&self, quantizers: Range<usize>) -> Tensor<3> {
        let (width, d_model) = (quantizers.len(), self.decoder.d_model());
        self.rows(quantizers).reshape([width, self.codebook_size, d_model]).swap_dims(1, 2)
    }

    /// What embeds the codes of some quantizers: `[quantizers · codes, d_model]`.
    pub(crate) fn rows(&self, quantizers: Range<usize>) -> Tensor<2> {
        let start = self.token(quantizers.start, 0) as usize;
        let end = self.token(quantizers.end, 0) as usize;
        self.table.val().slice_dim(0, start..end)
    }

    /// A cache for one sequence of up to `capacity` tokens, told nothing.
    #[cfg(test)]
    pub(crate) fn cache(&self, capacity: usize) -> KvCache {
        self.decoder.timed_cache_behind(0, capacity, None)
    }
}

impl Reader for CodeModel {
    type Step = Timed;

    fn n_tokens(step: &Timed) -> usize {
        step.tokens.len()
    }

    fn n_prefix(&self, conditions: Option<&Conditions>) -> usize {
        self.decoder.n_prefix(conditions)
    }

    fn cache_behind(
        &self,
        n_skipped: usize,
        capacity: usize,
        conditions: Option<&Conditions>,
    ) -> KvCache {
        self.decoder.timed_cache_behind(n_skipped, capacity, conditions)
    }

    fn read(&self, steps: &[Timed], cache: &mut KvCache) -> Tensor<3> {
        let (embedded, clock) = self.embedded(steps);
        self.decoder.step_timed(embedded, Some(clock), cache)
    }
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
pub(crate) fn tiny(n_others: usize, n_quantizers: usize, codebook_size: usize) -> CodeModel {
    tiny_with(crate::laws::tiny_decoder(), n_others, [n_quantizers, codebook_size])
}

#[cfg(test)]
pub(crate) fn tiny_with(
    decoder: crate::decoder_config::DecoderConfig,
    n_others: usize,
    [n_quantizers, codebook_size]: [usize; 2],
) -> CodeModel {
    let decoder = decoder.init(&Device::default()).unwrap();
    CodeModel::new(decoder, n_others, CodeLayout::new(n_quantizers, codebook_size).unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn every_code_of_every_quantizer_has_its_own_token(
            n_others in 1..6usize, n_quantizers in 1..7usize, size in 1..50usize,
        ) {
            let model = tiny(n_others, n_quantizers, size);
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
        let given = tiny(3, 3, 10).given(&[1, 7, 2, 8], 1..3);
        assert_eq!(given.tokens, [14, 30, 15, 31]);
        assert_eq!(given.frames, [0, 0, 1, 1]);
    }
}
