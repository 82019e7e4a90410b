//! Coarse and fine codes in one stage, many at once, given semantic tokens: SoundStorm (Borsos et al.
//! 2023, arXiv 2305.09636), in place of the second and the third stage of AudioLM.
//!
//! ```text
//!    semantic id ──┐
//!    code 1 ───────┤
//!    code 2 ───────┼─ sum ──→ one position ──→ stack in which every ──→ head q ──→ codes of
//!    …             │          per frame        position sees all others            level q
//!    code Q ───────┘          (hidden codes are those of a mask)
//! ```
//!
//! The sequence has one position per frame, however many levels (quantizers) there are. Training
//! hides a part of the codes ([`Mask`]) and predicts those of one level; `fill.rs` draws all of them
//! in a few passes.
//!
//! The stack is ours, with T5's distances, where the paper has a Conformer with rotary positions; and
//! a table of codes both embeds and scores, as in the other stages, where the paper has two.

mod fill;
mod mask;

pub use fill::ParallelRequest;
pub use mask::Mask;

use burn::module::Param;
use burn::prelude::*;

use crate::activations::Activations;
use crate::decoder_config::DecoderConfig;
use crate::encoder::Encoder;
use crate::error::{ConfigError, TokenError};
use crate::layout::{CodeLayout, in_range, nonzero};
use crate::stage::{Stage, StageLoss, at_positions, embedding_table, in_rows, nll, on_host};

/// Configuration of a [`ParallelStage`].
#[derive(Config, Debug, PartialEq)]
pub struct ParallelStageConfig {
    /// The stack.
    pub encoder: DecoderConfig,
    /// Number of semantic clusters.
    pub n_semantic_ids: usize,
    /// Quantizers of the codec that are predicted: levels.
    pub n_quantizers: usize,
    /// Codes of each quantizer.
    pub codebook_size: usize,
}

/// The masked language model of the codes of all levels.
#[derive(Module, Debug)]
pub struct ParallelStage {
    encoder: Encoder,
    /// The semantic ids, then for each level its codes and their mask, `[tokens, d_model]`.
    table: Param<Tensor<2>>,
    n_semantic_ids: usize,
    n_quantizers: usize,
    codebook_size: usize,
}

/// A batch of clips for [`ParallelStage`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParallelBatch {
    /// The clips, of any lengths.
    pub rows: Vec<ParallelRow>,
}

/// One clip, and what of it is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParallelRow {
    /// The semantic id of every frame.
    pub semantic: Vec<u32>,
    /// Its codes, row-major `[frame][quantizer]`; hidden ones are not read.
    pub codes: Vec<u32>,
    /// Which are hidden, and which of these are predicted.
    pub mask: Mask,
}

impl ParallelStageConfig {
    /// SoundStorm's sizes (section 4): 12 layers, 16 heads, d 1024, feed-forward 4096, and 12 levels of
    /// 1024 codes given AudioLM's 1024 semantic ids.
    pub fn paper() -> Self {
        Self::new(DecoderConfig::paper(), 1024, 12, 1024)
    }

    /// A stage of about 4.2 M parameters, for a processor: the first 12 quantizers of 1024 codes.
    pub fn tiny() -> Self {
        Self::new(DecoderConfig::new(192, 4, 4, 768), 256, 12, 1024)
    }

    /// Builds the stage with fresh weights, or names what is wrong with the numbers.
    pub fn init(&self, device: &Device) -> Result<ParallelStage, ConfigError> {
        let Self { n_semantic_ids, n_quantizers, codebook_size, .. } = *self;
        nonzero("n_semantic_ids", n_semantic_ids)?;
        CodeLayout::new(n_quantizers, codebook_size)?;
        let encoder = self.encoder.init_bidirectional(device)?;
        let n_tokens = n_semantic_ids + n_quantizers * (codebook_size + 1);
        let table = embedding_table(n_tokens, encoder.d_model(), device);
        Ok(ParallelStage { encoder, table, n_semantic_ids, n_quantizers, codebook_size })
    }
}

impl ParallelStage {
    /// The layout of the codes.
    pub fn layout(&self) -> CodeLayout {
        CodeLayout::of_model(self.n_quantizers, self.codebook_size)
    }

    /// Refuses ids and codes that are none, and frames that do not agree.
    fn validate(&self, row: &ParallelRow) -> Result<(), TokenError> {
        let (semantic, codes) = (row.semantic.len(), self.layout().n_frames(&row.codes)?);
        let masked = row.mask.n_frames();
        if semantic != codes || masked != codes {
            return Err(TokenError::UnequalFrames { semantic, codes, masked });
        }
        let (level, n_levels) = (row.mask.level() as u32, self.n_quantizers);
        in_range("level", &[level], n_levels)?;
        in_range("semantic id", &row.semantic, self.n_semantic_ids)
    }

    /// The first token of a level: that of its code 0.
    fn first_token(&self, level: usize) -> usize {
        self.n_semantic_ids + level * (self.codebook_size + 1)
    }

    /// The token that stands for any hidden code of a level, after its codes.
    fn mask_token(&self, level: usize) -> usize {
        self.first_token(level) + self.codebook_size
    }

    /// The tokens of a row, `[frame][1 + level]`: the semantic id, then the codes that are seen, and
    /// masks.
    fn tokens(&self, row: &ParallelRow) -> Vec<i32> {
        let n_levels = self.n_quantizers;
        let flags = row.mask.flags(n_levels);
        let token = |(level, (code, is_hidden)): (usize, (&u32, &bool))| match is_hidden {
            true => self.mask_token(level) as i32,
            false => (self.first_token(level) + *code as usize) as i32,
        };
        let frames = row.codes.chunks_exact(n_levels).zip(flags.chunks_exact(n_levels));
        let of_frame = |(id, (codes, flags)): (&u32, (&[u32], &[bool]))| {
            let codes: Vec<i32> = codes.iter().zip(flags).enumerate().map(token).collect();
            [vec![*id as i32], codes].concat()
        };
        row.semantic.iter().zip(frames).flat_map(of_frame).collect()
    }

    /// The sum of the tokens of every frame; rows are filled up on the right.
    ///
    /// # Shapes
    /// - output: `[batch, time, d_model]`
    fn embed(&self, rows: &[ParallelRow], time: usize) -> Tensor<3> {
        let width = 1 + self.n_quantizers;
        let filled = |row| {
            let mut tokens = self.tokens(row);
            tokens.resize(time * width, 0);
            tokens
        };
        let tokens: Vec<i32> = rows.iter().flat_map(filled).collect();
        let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &self.table.val().device());
        let [_, d_model] = self.table.dims();
        let each = self.table.val().select(0, tokens);
        each.reshape([rows.len() * time, width, d_model]).sum_dim(1).reshape([
            rows.len(),
            time,
            d_model,
        ])
    }

    /// The scores of every hidden code of the level of each row's mask, row by row:
    /// `[hidden, codes]` each.
    fn logits(&self, rows: &[ParallelRow], activations: &mut Activations) -> Vec<Tensor<2>> {
        let lengths: Vec<usize> = rows.iter().map(|it| it.semantic.len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0);
        let hidden = self.encoder.forward_leaving(self.embed(rows, time), &lengths, activations);
        let of_row = |(idx, row): (usize, &ParallelRow)| {
            let position = |frame: &usize| (idx * time + frame) as i32;
            let positions: Vec<i32> = row.mask.hidden().iter().map(position).collect();
            at_positions(hidden.clone(), &positions).matmul(self.head(row.mask.level()))
        };
        rows.iter().enumerate().map(of_row).collect()
    }

    /// What scores the codes of a level, all of them and not their mask: `[d_model, codes]`.
    fn head(&self, level: usize) -> Tensor<2> {
        let first = self.first_token(level);
        self.table.val().slice_dim(0, first..first + self.codebook_size).transpose()
    }

    /// [`logits`](Self::logits) of one row on the host, row-major; none where nothing is hidden.
    fn hidden_logits(&self, row: &ParallelRow) -> Vec<f32> {
        let logits = self.logits(std::slice::from_ref(row), &mut Activations::Kept);
        logits.into_iter().flat_map(|it| on_host(it.flatten(0, 1))).collect()
    }

    /// The negative log-likelihood of every predicted code, row by row.
    fn nll(
        &self,
        batch: &ParallelBatch,
        activations: &mut Activations,
    ) -> Result<Tensor<1>, TokenError> {
        batch.rows.iter().try_for_each(|it| self.validate(it))?;
        let rows: Vec<ParallelRow> =
            batch.rows.iter().filter(|it| !it.mask.hidden().is_empty()).cloned().collect();
        if rows.is_empty() {
            return Err(TokenError::NothingToPredict);
        }
        let of_row = |(row, logits): (&ParallelRow, Tensor<2>)| nll(logits, &row.targets());
        Ok(Tensor::cat(rows.iter().zip(self.logits(&rows, activations)).map(of_row).collect(), 0))
    }
}

impl ParallelRow {
    /// The hidden codes of the level of the mask, in the order of frames.
    fn targets(&self) -> Vec<i32> {
        let n_levels = self.codes.len() / self.mask.n_frames();
        let code = |frame: &usize| self.codes[frame * n_levels + self.mask.level()] as i32;
        self.mask.hidden().iter().map(code).collect()
    }
}

impl Stage for ParallelStage {
    type Batch = ParallelBatch;

    /// Of the hidden codes of the masks' levels; nothing is learnt of finer ones.
    fn loss_leaving(
        &self,
        batch: &ParallelBatch,
        activations: &mut Activations,
    ) -> Result<StageLoss, TokenError> {
        let nll = self.nll(batch, activations)?;
        let tokens = nll.dims()[0];
        let loss = nll.mean();
        Ok(StageLoss { nll: loss.clone().detach(), loss, tokens, duration_nll: None })
    }

    fn log_likelihoods(&self, batch: &ParallelBatch) -> Result<Vec<Vec<f32>>, TokenError> {
        let nll = on_host(self.nll(batch, &mut Activations::Kept)?.neg());
        Ok(in_rows(&nll, batch.rows.iter().map(|it| it.mask.hidden().len())))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::laws::{self, check_close, tokens};

    pub(crate) const N_IDS: usize = 6;
    pub(crate) const N_LEVELS: usize = 3;
    pub(crate) const CODES: usize = 8;

    pub(crate) fn stage(device: &Device) -> ParallelStage {
        let config = ParallelStageConfig::new(laws::tiny_decoder(), N_IDS, N_LEVELS, CODES);
        laws::seeded(config.init(device).unwrap())
    }

    /// A clip whose first two frames are a prompt; of the level a frame in three is seen.
    fn row(level: usize, n_frames: usize) -> ParallelRow {
        let mut mask = Mask::of_level(level, n_frames.min(2)..n_frames);
        mask.reveal(&(0..n_frames).step_by(3).collect::<Vec<_>>());
        ParallelRow {
            semantic: tokens(n_frames, N_IDS as u32, 1),
            codes: tokens(n_frames * N_LEVELS, CODES as u32, 2),
            mask,
        }
    }

    fn batch(rows: &[ParallelRow]) -> ParallelBatch {
        ParallelBatch { rows: rows.to_vec() }
    }

    fn scores(row: &ParallelRow) -> Vec<f32> {
        stage(&Device::default())
            .log_likelihoods(&batch(std::slice::from_ref(row)))
            .unwrap()
            .concat()
    }

    #[test]
    fn rows_are_independent() {
        let rows = [row(0, 9), row(2, 4), row(1, 6), row(1, 200), row(1, 3)];
        let alone: Vec<_> = rows[..4].iter().map(|it| batch(std::slice::from_ref(it))).collect();
        let stage = stage(&Device::default());
        laws::check_rows_are_independent(&stage, &batch(&rows[..4]), &alone);
        let lengths = stage.log_likelihoods(&batch(&rows)).unwrap();
        assert_eq!(lengths.iter().map(Vec::len).collect::<Vec<_>>(), [5, 1, 3, 132, 1]);
    }

    /// Whether the scores of a clip change with its code at a frame and level.
    fn is_read(level_of_mask: usize, frame: usize, level: usize) -> bool {
        let (before, mut after) = (row(level_of_mask, 9), row(level_of_mask, 9));
        after.codes[frame * N_LEVELS + level] ^= 1;
        // The code itself may be what is predicted: its own score has to change.
        let own = before.mask.hidden().iter().position(|it| *it == frame && level == level_of_mask);
        let others = |row| {
            let mut scores = scores(row);
            own.map(|it| scores.remove(it));
            scores
        };
        others(&before) != others(&after)
    }

    #[test]
    fn hidden_codes_are_not_read_and_others_are_whether_before_or_after() {
        for level in 0..N_LEVELS {
            for frame in 0..9 {
                for of in 0..N_LEVELS {
                    let is_hidden = row(level, 9).mask.flags(N_LEVELS)[frame * N_LEVELS + of];
                    let found = is_read(level, frame, of);
                    assert_eq!(found, !is_hidden, "level {level}: code {of} of frame {frame}");
                }
            }
        }
    }

    #[test]
    fn every_prediction_sees_every_semantic_id() {
        let before = scores(&row(1, 9));
        for frame in 0..9 {
            let mut after = row(1, 9);
            after.semantic[frame] = (after.semantic[frame] + 1) % N_IDS as u32;
            assert!(scores(&after).iter().zip(&before).all(|(a, b)| a != b), "frame {frame}");
        }
    }

    #[test]
    fn every_code_of_a_level_has_a_token_and_a_score() {
        let stage = stage(&Device::default());
        let tokens = |level| stage.first_token(level)..stage.mask_token(level) + 1;
        assert_eq!(tokens(0).start, N_IDS);
        assert!((1..N_LEVELS).all(|it| tokens(it - 1).end == tokens(it).start));
        assert_eq!(tokens(N_LEVELS - 1).end, stage.table.dims()[0]);
        assert!((0..N_LEVELS).all(|it| stage.head(it).dims()[1] == CODES));
        // Each code of each level, predicted in turn: the likelihoods sum to one.
        for level in 0..N_LEVELS {
            let likelihood = |code: u32| {
                let mut row = row(level, 3);
                row.codes[2 * N_LEVELS + level] = code;
                scores(&row)[0].exp()
            };
            let sum: f32 = (0..CODES as u32).map(likelihood).sum();
            check_close(&[sum], &[1.0]);
        }
    }

    #[test]
    fn loss_is_the_mean_of_what_is_hidden_of_the_levels() {
        let stage = stage(&Device::default());
        let batch = batch(&[row(0, 9), row(2, 4), row(1, 3)]);
        let scores = stage.log_likelihoods(&batch).unwrap().concat();
        let loss = stage.loss(&batch).unwrap();
        assert_eq!(loss.tokens, scores.len());
        let mean = -scores.iter().sum::<f32>() / scores.len() as f32;
        check_close(&[loss.nll.into_scalar(), loss.loss.into_scalar()], &[mean, mean]);
    }

    #[test]
    fn layers_that_are_run_again_give_the_same_gradients() {
        let batch = batch(&[row(0, 9), row(1, 6), row(2, 7)]);
        laws::check_recomputation(&stage(&Device::default().autodiff()), &batch);
    }

    #[test]
    fn learns_one_batch_by_heart() {
        let rows = [row(0, 9), row(1, 6), row(2, 7)];
        laws::overfitted(stage(&Device::default().autodiff()), &batch(&rows));
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut ParallelRow), expected: TokenError) {
        let mut row = row(1, 4);
        change(&mut row);
        assert_eq!(stage(&Device::default()).loss(&batch(&[row])).unwrap_err(), expected);
    }

    #[test]
    fn refuses_what_is_no_clip() {
        let (token, position, value, bound) = ("semantic id", 3, 6, 6);
        let strange = TokenError::OutOfRange { token, position, value, bound };
        check_refused(|it| it.semantic[3] = 6, strange);
        let (token, position, value, bound) = ("code", 2, 8, 8);
        let strange = TokenError::OutOfRange { token, position, value, bound };
        check_refused(|it| it.codes[2] = 8, strange);
        let (token, position, value, bound) = ("level", 0, 3, 3);
        let strange = TokenError::OutOfRange { token, position, value, bound };
        check_refused(|it| it.mask = Mask::of_level(3, 0..4), strange);
        let unequal =
            |semantic, codes, masked| TokenError::UnequalFrames { semantic, codes, masked };
        check_refused(|it| it.semantic.truncate(3), unequal(3, 4, 4));
        check_refused(|it| it.mask = Mask::of_level(0, 0..5), unequal(4, 4, 5));
        check_refused(|it| it.mask = Mask::of_level(0, 4..4), TokenError::NothingToPredict);
    }

    #[test]
    fn presets_are_of_the_stated_size() {
        let stage = ParallelStageConfig::tiny().init(&Device::default()).unwrap();
        assert_eq!(stage.num_params(), 4_182_080);
        let paper = ParallelStageConfig::paper();
        assert_eq!(
            (paper.encoder.n_layers, paper.n_quantizers, paper.n_semantic_ids),
            (12, 12, 1024)
        );
    }
}
