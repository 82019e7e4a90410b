//! Stage 2: coarse acoustic codes given semantic tokens.
//!
//! The sequence is z, then a separator, then y^{≤Q'} row-major (AudioLM, section III-C); the loss
//! starts at the first code. The paper names no separator: ours is one learnt token, so that the
//! first code is predicted from a place of its own. Nor does it tell how codes find the ids that
//! sound with them: ours carry their time, see `clock.rs`.

use std::ops::Range;

use audiolm_nn::{Generator, Weights};
use burn::prelude::*;

use crate::activations::Activations;
use crate::code_generation::{CodeGeneration, CodeGenerations, Continuation};
use crate::codes::{CodeModel, CodeSequences, Predicted, Timed};
use crate::condition::Condition;
use crate::decoder_config::DecoderConfig;
use crate::error::{ConfigError, GenerateError, TokenError};
use crate::guidance::Guidance;
use crate::layout::{CodeLayout, in_range, nonzero};
use crate::recall::Recall;
use crate::sampler::Sampling;
use crate::stage::{Stage, StageLoss};

/// Configuration of a [`CoarseStage`].
#[derive(Config, Debug, PartialEq)]
pub struct CoarseStageConfig {
    /// The stack.
    pub decoder: DecoderConfig,
    /// Number of semantic clusters (K in the paper).
    pub n_semantic_ids: usize,
    /// Quantizers predicted here, the first of the codec (Q′ in the paper).
    pub n_quantizers: usize,
    /// Codes of each quantizer (N in the paper).
    pub codebook_size: usize,
}

/// The language model of coarse codes.
#[derive(Module, Debug)]
pub struct CoarseStage {
    model: CodeModel,
    n_semantic_ids: usize,
}

/// A batch of clips for [`CoarseStage`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CoarseBatch {
    /// The clips, of any lengths.
    pub rows: Vec<CoarseRow>,
}

/// One clip in both kinds of token.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CoarseRow {
    /// Its semantic ids, deduplicated.
    pub semantic: Vec<u32>,
    /// The frame of codes in the middle of each id; see [`Runs::middles`](crate::Runs::middles).
    pub semantic_frames: Vec<u32>,
    /// Its codes, row-major `[frame][quantizer]`, without offsets.
    pub codes: Vec<u32>,
    /// What it is told, if anything.
    pub condition: Option<Condition>,
}

/// What [`CoarseStage::generate`] shall continue.
#[derive(Debug, Clone, Copy)]
pub struct CoarseRequest<'a> {
    /// Semantic ids of the whole clip, prompt and continuation, deduplicated.
    pub semantic: &'a [u32],
    /// The frame of codes in the middle of each id; see [`Runs::middles`](crate::Runs::middles).
    pub semantic_frames: &'a [u32],
    /// Codes of the prompt, row-major; may be empty.
    pub prompt_codes: &'a [u32],
    /// How many frames to add.
    pub n_frames: usize,
    /// How to draw each code.
    pub sampling: Sampling,
    /// How far codes of the prompt come again.
    pub recall: Recall,
    /// The frames of the prompt that may: so many of the first.
    pub recalled_frames: usize,
    /// What the clip is told, if anything.
    pub condition: Option<&'a Condition>,
    /// How much that counts.
    pub guidance: Guidance,
}

impl CoarseStageConfig {
    /// AudioLM's second stage: K = 1024 semantic ids, the first 4 of 12 quantizers of 1024 codes
    /// (sections III-B and IV-A).
    pub fn paper() -> Self {
        Self::new(DecoderConfig::paper(), 1024, 4, 1024)
    }

    /// The second stage of audiolm-pytorch's README: width 512, 500 semantic ids, 3 quantizers of
    /// 1024 codes.
    pub fn audiolm_pytorch() -> Self {
        Self::new(DecoderConfig::audiolm_pytorch(512), 500, 3, 1024)
    }

    /// A stage of about 11.2 M parameters, for a graphics card: 500 semantic ids, 4 quantizers of
    /// 1024 codes.
    pub fn small() -> Self {
        Self::new(DecoderConfig::small(), 500, 4, 1024)
    }

    /// A stage of about 1.8 M parameters, for a processor: 3 quantizers of 1024 codes.
    pub fn tiny() -> Self {
        Self::new(DecoderConfig::new(160, 4, 4, 640), 256, 3, 1024)
    }

    /// Builds the stage with fresh weights, or names what is wrong with the numbers.
    pub fn init(&self, device: &Device) -> Result<CoarseStage, ConfigError> {
        nonzero("n_semantic_ids", self.n_semantic_ids)?;
        let layout = CodeLayout::new(self.n_quantizers, self.codebook_size)?;
        let n_others = self.n_semantic_ids + 1;
        let model = CodeModel::new(self.decoder.init(device)?, n_others, layout);
        Ok(CoarseStage { model, n_semantic_ids: self.n_semantic_ids })
    }
}

impl CoarseStage {
    /// AudioLM's temperature for this stage (section IV-A), without truncation.
    pub const PAPER_SAMPLING: Sampling = Sampling::at(0.8);

    /// The same with the weights of its decoder as these, for use, not to learn.
    pub fn with_weights(self, weights: Weights) -> Self {
        Self { model: self.model.with_weights(weights), ..self }
    }

    /// The layout of the codes.
    pub fn layout(&self) -> CodeLayout {
        self.model.layout()
    }

    /// Draws the codes of the frames after the prompt, row-major, without the prompt's.
    pub fn generate(
        &self,
        request: &CoarseRequest,
        rng: Generator,
    ) -> Result<Vec<u32>, GenerateError> {
        Ok(self.model.rest(self.begin(request, rng)?))
    }

    /// Begins to draw the same: reads what is given.
    pub fn begin(
        &self,
        request: &CoarseRequest,
        rng: Generator,
    ) -> Result<CodeGeneration, GenerateError> {
        Ok(self.model.begin(self.continuation(request)?, rng))
    }

    /// Begins to draw several sequences together, each from its own generator.
    ///
    /// # Panics
    /// If there are none.
    pub fn begin_all(
        &self,
        requests: Vec<(CoarseRequest, Generator)>,
    ) -> Result<CodeGenerations, GenerateError> {
        let begun = |(request, rng)| Ok((self.continuation(&request)?, rng));
        let begun: Result<_, GenerateError> = requests.into_iter().map(begun).collect();
        Ok(self.model.begin_all(begun?))
    }

    /// Draws the codes of the next frame; none after the last.
    ///
    /// # Panics
    /// Where another stage has begun.
    pub fn next_frame(&self, generation: &mut CodeGeneration) -> Option<Vec<u32>> {
        self.model.next_frame(generation)
    }

    /// Draws the codes of the next frame of each sequence; none of one that is complete.
    ///
    /// # Panics
    /// Where another stage has begun.
    pub fn next_frames(&self, generations: &mut CodeGenerations) -> Vec<Option<Vec<u32>>> {
        self.model.next_frames(generations)
    }

    fn continuation(&self, request: &CoarseRequest) -> Result<Continuation, GenerateError> {
        request.sampling.validate()?;
        request.recall.validate()?;
        request.guidance.validate()?;
        let semantic = self.semantic(request.semantic, request.semantic_frames)?;
        let n_prompt = self.layout().n_frames(request.prompt_codes)?;
        Ok(Continuation {
            prefix: semantic.then(self.model.predicted(request.prompt_codes, self.quantizers())),
            quantizers: self.quantizers(),
            frames: n_prompt..n_prompt + request.n_frames,
            sampling: request.sampling,
            recall: request.recall,
            recalled_frames: request.recalled_frames,
            conditions: self.model.conditions(&[request.condition])?,
            guidance: request.guidance,
        })
    }

    fn quantizers(&self) -> Range<usize> {
        0..self.layout().n_quantizers()
    }

    /// Semantic ids, once they are known to be such.
    fn semantic(&self, ids: &[u32], frames: &[u32]) -> Result<Timed, TokenError> {
        in_range("semantic id", ids, self.n_semantic_ids)?;
        if ids.len() != frames.len() {
            return Err(TokenError::UntimedIds { ids: ids.len(), frames: frames.len() });
        }
        Ok(Timed { tokens: ids.to_vec(), frames: frames.to_vec() })
    }

    fn sequences(&self, batch: &CoarseBatch) -> Result<CodeSequences, TokenError> {
        let (mut predicted, mut inputs, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let told: Vec<_> = batch.rows.iter().map(|row| row.condition.as_ref()).collect();
        let conditions = self.model.conditions(&told)?;
        for CoarseRow { semantic, semantic_frames, codes, .. } in &batch.rows {
            let n_frames = self.layout().n_frames(codes)?;
            predicted.push(Predicted { first_position: semantic.len(), n_frames });
            let read = self.semantic(semantic, semantic_frames)?;
            // The last code is predicted but never read.
            let codes_read = &codes[..codes.len().saturating_sub(1)];
            inputs.push(read.then(self.model.predicted(codes_read, self.quantizers())));
            targets.extend_from_slice(codes);
        }
        if targets.is_empty() {
            return Err(TokenError::NothingToPredict);
        }
        let quantizers = self.quantizers();
        Ok(CodeSequences { inputs, predicted, targets, quantizers, conditions })
    }
}

impl Stage for CoarseStage {
    type Batch = CoarseBatch;

    fn loss_leaving(
        &self,
        batch: &CoarseBatch,
        activations: &mut Activations,
    ) -> Result<StageLoss, TokenError> {
        let sequences = self.sequences(batch)?;
        let loss = self.model.nll(&sequences, activations).mean();
        let nll = loss.clone().detach();
        Ok(StageLoss { loss, nll, tokens: sequences.targets.len(), duration_nll: None })
    }

    fn log_likelihoods(&self, batch: &CoarseBatch) -> Result<Vec<Vec<f32>>, TokenError> {
        let sequences = self.sequences(batch)?;
        Ok(sequences.log_likelihoods(self.model.nll(&sequences, &mut Activations::Kept)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::{self, check_close, tokens};
    use audiolm_nn::generator;

    const N_IDS: usize = 6;
    const N_QUANTIZERS: usize = 3;
    const CODES: usize = 8;

    fn stage(device: &Device) -> CoarseStage {
        stage_of(laws::tiny_decoder(), device)
    }

    fn stage_of(decoder: DecoderConfig, device: &Device) -> CoarseStage {
        let config = CoarseStageConfig::new(decoder, N_IDS, N_QUANTIZERS, CODES);
        laws::seeded(config.init(device).unwrap())
    }

    fn told(condition: Option<Condition>, row: CoarseRow) -> CoarseRow {
        CoarseRow { condition, ..row }
    }

    fn row(n_semantic: usize, n_frames: usize) -> CoarseRow {
        CoarseRow {
            semantic: tokens(n_semantic, N_IDS as u32, 1),
            semantic_frames: (0..n_semantic as u32).map(|it| it * 2).collect(),
            codes: tokens(n_frames * N_QUANTIZERS, CODES as u32, 2),
            condition: None,
        }
    }

    fn batch(rows: &[CoarseRow]) -> CoarseBatch {
        CoarseBatch { rows: rows.to_vec() }
    }

    #[test]
    fn cached_equals_uncached() {
        let stage = stage(&Device::default());
        let row = row(5, 50);
        let prefix = stage.semantic(&row.semantic, &row.semantic_frames).unwrap();
        let stepwise =
            stage.model.log_likelihoods_stepwise(prefix, &row.codes, 0..N_QUANTIZERS, None);
        check_close(&stepwise, &stage.log_likelihoods(&batch(&[row])).unwrap()[0]);
    }

    #[test]
    fn cached_equals_uncached_whatever_it_is_told() {
        for by in laws::WAYS {
            let stage = stage_of(laws::told_decoder(by), &Device::default());
            for condition in [None, Some(laws::condition(4, 1))] {
                let row = told(condition, row(5, 20));
                let prefix = stage.semantic(&row.semantic, &row.semantic_frames).unwrap();
                let conditions = stage.model.conditions(&[row.condition.as_ref()]).unwrap();
                let stepwise = stage.model.log_likelihoods_stepwise(
                    prefix,
                    &row.codes,
                    0..N_QUANTIZERS,
                    conditions.as_ref(),
                );
                check_close(&stepwise, &stage.log_likelihoods(&batch(&[row])).unwrap()[0]);
            }
        }
    }

    #[test]
    fn rows_may_be_told_different_things() {
        for by in laws::WAYS {
            let stage = stage_of(laws::told_decoder(by), &Device::default());
            let conditions = [Some(laws::condition(1, 1)), None, Some(laws::condition(3, 2))];
            let rows = conditions.map(|it| told(it, row(4, 6)));
            let alone: Vec<_> = rows.iter().map(|it| batch(std::slice::from_ref(it))).collect();
            laws::check_rows_are_independent(&stage, &batch(&rows), &alone);
            let scores = stage.log_likelihoods(&batch(&rows)).unwrap();
            assert!(scores[0] != scores[1] && scores[1] != scores[2]);
        }
    }

    #[test]
    fn what_it_is_told_decides_what_it_makes() {
        for by in laws::WAYS {
            let device = Device::default().autodiff();
            // Nothing but the condition tells the two apart.
            let conditions = [1, 2].map(|salt| laws::condition(2, salt));
            let first = told(Some(conditions[0].clone()), row(4, 5));
            let codes = tokens(5 * N_QUANTIZERS, CODES as u32, 99);
            let second = CoarseRow { codes, ..told(Some(conditions[1].clone()), row(4, 5)) };
            let rows = [first, second];
            let stage = laws::overfitted(stage_of(laws::told_decoder(by), &device), &batch(&rows));
            let stage = stage.valid();
            for row in &rows {
                let request = CoarseRequest {
                    semantic: &row.semantic,
                    semantic_frames: &row.semantic_frames,
                    prompt_codes: &[],
                    n_frames: 5,
                    sampling: Sampling::GREEDY,
                    recall: Recall::NONE,
                    recalled_frames: 0,
                    condition: row.condition.as_ref(),
                    guidance: Guidance::NONE,
                };
                let rng = generator(1, "test", 0);
                assert_eq!(stage.generate(&request, rng).unwrap(), row.codes);
            }
        }
    }

    #[test]
    fn rows_are_independent() {
        let rows = [row(4, 6), row(9, 2), row(1, 9), row(3, 0)];
        let alone: Vec<_> = rows[..3].iter().map(|it| batch(std::slice::from_ref(it))).collect();
        laws::check_rows_are_independent(&stage(&Device::default()), &batch(&rows[..3]), &alone);
        let lengths: Vec<_> = stage(&Device::default()).log_likelihoods(&batch(&rows)).unwrap();
        assert_eq!(lengths.iter().map(Vec::len).collect::<Vec<_>>(), [18, 6, 27, 0]);
    }

    #[test]
    fn no_code_sees_a_later_one() {
        let (before, mut after) = (row(4, 6), row(4, 6));
        after.codes[9] = (after.codes[9] + 1) % CODES as u32;
        laws::check_causal(&stage(&Device::default()), &batch(&[before]), &batch(&[after]), 9);
    }

    #[test]
    fn every_code_sees_the_semantic_ids() {
        let (before, mut after) = (row(4, 6), row(4, 6));
        after.semantic[3] = (after.semantic[3] + 1) % N_IDS as u32;
        laws::check_causal(&stage(&Device::default()), &batch(&[before]), &batch(&[after]), 0);
    }

    #[test]
    fn loss_is_the_mean_of_all_codes() {
        let stage = stage(&Device::default());
        let batch = batch(&[row(4, 6), row(9, 2)]);
        let scores = stage.log_likelihoods(&batch).unwrap().concat();
        let loss = stage.loss(&batch).unwrap();
        assert_eq!(loss.tokens, scores.len());
        let mean = -scores.iter().sum::<f32>() / scores.len() as f32;
        check_close(&[loss.nll.into_scalar(), loss.loss.into_scalar()], &[mean, mean]);
    }

    #[test]
    fn layers_that_are_run_again_give_the_same_gradients() {
        let batch = batch(&[row(4, 6), row(9, 2)]);
        laws::check_recomputation(&stage(&Device::default().autodiff()), &batch);
    }

    #[test]
    fn learns_one_batch_by_heart() {
        let device = Device::default().autodiff();
        laws::overfitted(stage(&device), &batch(&[row(4, 6), row(9, 2)]));
    }

    #[test]
    fn continues_the_same_for_the_same_seed() {
        let stage = stage(&Device::default());
        let row = row(4, 2);
        let request = CoarseRequest {
            semantic: &row.semantic,
            semantic_frames: &row.semantic_frames,
            prompt_codes: &row.codes,
            n_frames: 20,
            sampling: Sampling::at(1.0),
            recall: Recall::NONE,
            recalled_frames: 0,
            condition: None,
            guidance: Guidance::NONE,
        };
        let draw = |seed| stage.generate(&request, generator(seed, "test", 0)).unwrap();
        assert_eq!(draw(1).len(), 60);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        // 60 draws from 8 codes of a model that knows nothing: all of them come.
        assert!((0..CODES as u32).all(|code| draw(1).contains(&code)));
    }

    #[test]
    fn likelihoods_are_those_of_the_stage() {
        let (stage, row) = (stage(&Device::default()), row(4, 2));
        let request = CoarseRequest {
            semantic: &row.semantic,
            semantic_frames: &row.semantic_frames,
            prompt_codes: &row.codes,
            n_frames: 7,
            sampling: Sampling { top_k: Some(3), ..Sampling::at(0.5) },
            recall: Recall { share: 0.5, sharpness: 1.0 },
            recalled_frames: 2,
            condition: None,
            guidance: Guidance::NONE,
        };
        let mut generation = stage.begin(&request, generator(1, "test", 0)).unwrap();
        let drawn: Vec<u32> =
            std::iter::from_fn(|| stage.next_frame(&mut generation)).flatten().collect();
        let whole = CoarseRow { codes: [row.codes.clone(), drawn].concat(), ..row.clone() };
        let all = stage.log_likelihoods(&batch(&[whole])).unwrap().concat();
        let expected: f32 = all[row.codes.len()..].iter().sum();
        let found = generation.likelihood();
        assert_eq!(found.tokens, 7 * N_QUANTIZERS);
        assert!((found.nats - f64::from(expected)).abs() < 1e-3, "{found:?} for {expected}");
    }

    #[test]
    fn every_code_of_every_quantizer_can_be_drawn() {
        let (stage, row) = (stage(&Device::default()), row(4, 0));
        let request = CoarseRequest {
            semantic: &row.semantic,
            semantic_frames: &row.semantic_frames,
            prompt_codes: &[],
            n_frames: 100,
            sampling: Sampling::at(4.0),
            recall: Recall::NONE,
            recalled_frames: 0,
            condition: None,
            guidance: Guidance::NONE,
        };
        let codes = stage.generate(&request, generator(1, "test", 0)).unwrap();
        for quantizer in 0..N_QUANTIZERS {
            let drawn: Vec<_> = codes.iter().skip(quantizer).step_by(N_QUANTIZERS).collect();
            assert!((0..CODES as u32).all(|code| drawn.contains(&&code)), "quantizer {quantizer}");
        }
    }

    #[test]
    fn a_share_of_one_draws_codes_of_the_prompt_alone() {
        let stage = stage(&Device::default());
        let prompt = row(4, 3);
        let drawn = |recalled_frames| {
            let request = CoarseRequest {
                semantic: &prompt.semantic,
                semantic_frames: &prompt.semantic_frames,
                prompt_codes: &prompt.codes,
                n_frames: 20,
                sampling: Sampling::at(1.0),
                recall: Recall { share: 1.0, sharpness: 0.0 },
                recalled_frames,
                condition: None,
                guidance: Guidance::NONE,
            };
            stage.generate(&request, generator(1, "test", 0)).unwrap()
        };
        let of_quantizer = |codes: &[u32], quantizer: usize| -> std::collections::BTreeSet<u32> {
            codes.iter().skip(quantizer).step_by(N_QUANTIZERS).copied().collect()
        };
        for quantizer in 0..N_QUANTIZERS {
            let expected = of_quantizer(&prompt.codes, quantizer);
            assert_eq!(of_quantizer(&drawn(3), quantizer), expected);
            let expected = of_quantizer(&prompt.codes[..N_QUANTIZERS], quantizer);
            assert_eq!(of_quantizer(&drawn(1), quantizer), expected);
        }
    }

    #[track_caller]
    fn check_refused(semantic: &[u32], codes: &[u32], expected: TokenError) {
        let (semantic, semantic_frames) = (semantic.to_vec(), vec![0; semantic.len()]);
        let codes = codes.to_vec();
        let row = CoarseRow { semantic, semantic_frames, codes, condition: None };
        let stage = stage(&Device::default());
        assert_eq!(stage.loss(&batch(&[row])).unwrap_err(), expected);
    }

    #[test]
    fn refuses_what_is_no_clip() {
        let (token, position, value, bound) = ("semantic id", 1, 6, 6);
        check_refused(&[0, 6], &[0; 3], TokenError::OutOfRange { token, position, value, bound });
        let (token, position, value, bound) = ("code", 2, 8, 8);
        check_refused(&[0], &[0, 7, 8], TokenError::OutOfRange { token, position, value, bound });
        check_refused(&[0], &[0; 4], TokenError::PartialFrame { codes: 4, per_frame: 3 });
        check_refused(&[0], &[], TokenError::NothingToPredict);
        let row = CoarseRow { semantic_frames: vec![], ..row(2, 1) };
        let error = stage(&Device::default()).loss(&batch(&[row])).unwrap_err();
        assert_eq!(error, TokenError::UntimedIds { ids: 2, frames: 0 });
    }

    #[test]
    fn presets_are_of_the_stated_size() {
        let stage = CoarseStageConfig::tiny().init(&Device::default()).unwrap();
        assert_eq!(stage.num_params(), 1_763_136);
        let stage = CoarseStageConfig::small().init(&Device::default()).unwrap();
        assert_eq!(stage.num_params(), 11_208_384);
        let paper = CoarseStageConfig::paper();
        assert_eq!((paper.decoder.n_layers, paper.n_quantizers), (12, 4));
    }
}
