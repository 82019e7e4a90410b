//! Stage 3: fine acoustic codes given coarse ones.
//!
//! The sequence is the coarse codes of a short chunk, then its fine codes, both row-major; the loss
//! is on the fine ones. Semantic tokens play no part: given the coarse codes, the fine ones add
//! what is local (AudioLM, section III-C; chunks of 3 s in section IV-A). How a fine code finds the
//! coarse ones of its frame the paper leaves to the stack: ours all carry their time, see
//! `clock.rs`.

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
use crate::layout::{CodeLayout, SplitCodes, nonzero};
use crate::recall::Recall;
use crate::sampler::Sampling;
use crate::stage::{Stage, StageLoss};

/// Configuration of a [`FineStage`].
#[derive(Config, Debug, PartialEq)]
pub struct FineStageConfig {
    /// The stack.
    pub decoder: DecoderConfig,
    /// Quantizers of the codec (Q in the paper).
    pub n_quantizers: usize,
    /// How many of them are coarse (Q′ in the paper).
    pub n_coarse: usize,
    /// Codes of each quantizer (N in the paper).
    pub codebook_size: usize,
}

/// The language model of fine codes.
#[derive(Module, Debug)]
pub struct FineStage {
    model: CodeModel,
    n_coarse: usize,
}

/// A batch of chunks for [`FineStage`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FineBatch {
    /// The chunks, of any lengths.
    pub rows: Vec<FineRow>,
}

/// One chunk.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FineRow {
    /// All its codes, row-major `[frame][quantizer]`, without offsets.
    pub codes: Vec<u32>,
    /// What it is told, if anything.
    pub condition: Option<Condition>,
}

/// What [`FineStage::generate`] shall complete.
#[derive(Debug, Clone, Copy)]
pub struct FineRequest<'a> {
    /// Coarse codes of every frame of the chunk, row-major.
    pub coarse: &'a [u32],
    /// Fine codes of its first frames, row-major; may be empty.
    pub prompt_fine: &'a [u32],
    /// How to draw each code.
    pub sampling: Sampling,
    /// How far codes of the prompt come again.
    pub recall: Recall,
    /// The frames of the prompt that may: so many of the first.
    pub recalled_frames: usize,
    /// What the chunk is told, if anything.
    pub condition: Option<&'a Condition>,
    /// How much that counts.
    pub guidance: Guidance,
}

impl FineStageConfig {
    /// AudioLM's third stage: quantizers 5 to 12 given the first 4, of 1024 codes each (sections
    /// III-B and IV-A).
    pub fn paper() -> Self {
        Self::new(DecoderConfig::paper(), 12, 4, 1024)
    }

    /// The third stage of audiolm-pytorch's README: width 512, 5 quantizers given 3, of 1024 codes
    /// each.
    pub fn audiolm_pytorch() -> Self {
        Self::new(DecoderConfig::audiolm_pytorch(512), 8, 3, 1024)
    }

    /// A stage of about 14.2 M parameters, for a graphics card: 8 of 12 quantizers of 1024 codes.
    pub fn small() -> Self {
        Self::new(DecoderConfig::small(), 12, 4, 1024)
    }

    /// A stage of about 2.2 M parameters, for a processor: 9 of the first 12 quantizers of 1024 codes.
    pub fn tiny() -> Self {
        Self::new(DecoderConfig::new(128, 3, 4, 512), 12, 3, 1024)
    }

    /// Builds the stage with fresh weights, or names what is wrong with the numbers.
    pub fn init(&self, device: &Device) -> Result<FineStage, ConfigError> {
        let Self { n_quantizers, n_coarse, .. } = *self;
        nonzero("n_coarse", n_coarse)?;
        if n_coarse >= n_quantizers {
            return Err(ConfigError::NoFineQuantizer { n_coarse, n_quantizers });
        }
        let layout = CodeLayout::new(n_quantizers, self.codebook_size)?;
        let model = CodeModel::new(self.decoder.init(device)?, 1, layout);
        Ok(FineStage { model, n_coarse })
    }
}

impl FineStage {
    /// AudioLM's temperature for this stage (section IV-A), without truncation.
    pub const PAPER_SAMPLING: Sampling = Sampling::at(0.6);

    /// The same with the weights of its decoder as these, for use, not to learn.
    pub fn with_weights(self, weights: Weights) -> Self {
        Self { model: self.model.with_weights(weights), ..self }
    }

    /// The layout of whole frames.
    pub fn layout(&self) -> CodeLayout {
        self.model.layout()
    }

    /// Draws the fine codes of the frames after the prompt, row-major, without the prompt's.
    pub fn generate(
        &self,
        request: &FineRequest,
        rng: Generator,
    ) -> Result<Vec<u32>, GenerateError> {
        Ok(self.model.rest(self.begin(request, rng)?))
    }

    /// Begins to draw the same: reads what is given.
    pub fn begin(
        &self,
        request: &FineRequest,
        rng: Generator,
    ) -> Result<CodeGeneration, GenerateError> {
        Ok(self.model.begin(self.continuation(request)?, rng))
    }

    /// Begins to draw several chunks together, each from its own generator.
    ///
    /// # Panics
    /// If there are none.
    pub fn begin_all(
        &self,
        requests: Vec<(FineRequest, Generator)>,
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

    /// Draws the codes of the next frame of each chunk; none of one that is complete.
    ///
    /// # Panics
    /// Where another stage has begun.
    pub fn next_frames(&self, generations: &mut CodeGenerations) -> Vec<Option<Vec<u32>>> {
        self.model.next_frames(generations)
    }

    fn continuation(&self, request: &FineRequest) -> Result<Continuation, GenerateError> {
        request.sampling.validate()?;
        request.recall.validate()?;
        request.guidance.validate()?;
        let expected = self.coarse_layout().n_frames(request.coarse)?;
        let found = self.fine_layout().n_frames(request.prompt_fine)?;
        if found > expected {
            return Err(TokenError::TooManyFrames { expected, found }.into());
        }
        Ok(Continuation {
            prefix: self.sequence(request.coarse, request.prompt_fine),
            quantizers: self.fine_quantizers(),
            frames: found..expected,
            sampling: request.sampling,
            recall: request.recall,
            recalled_frames: request.recalled_frames,
            conditions: self.model.conditions(&[request.condition])?,
            guidance: request.guidance,
        })
    }

    fn fine_quantizers(&self) -> Range<usize> {
        self.n_coarse..self.layout().n_quantizers()
    }

    fn coarse_layout(&self) -> CodeLayout {
        CodeLayout::of_model(self.n_coarse, self.layout().codebook_size())
    }

    fn fine_layout(&self) -> CodeLayout {
        CodeLayout::of_model(self.fine_quantizers().len(), self.layout().codebook_size())
    }

    /// The coarse codes, the separator, the fine codes.
    fn sequence(&self, coarse: &[u32], fine: &[u32]) -> Timed {
        let coarse = self.model.given(coarse, 0..self.n_coarse);
        coarse.then(self.model.predicted(fine, self.fine_quantizers()))
    }

    fn sequences(&self, batch: &FineBatch) -> Result<CodeSequences, TokenError> {
        let (mut predicted, mut inputs, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let told: Vec<_> = batch.rows.iter().map(|row| row.condition.as_ref()).collect();
        let conditions = self.model.conditions(&told)?;
        for row in &batch.rows {
            let SplitCodes { coarse, fine } = self.layout().split(&row.codes, self.n_coarse)?;
            let n_frames = coarse.len() / self.n_coarse;
            predicted.push(Predicted { first_position: coarse.len(), n_frames });
            // The last code is predicted but never read.
            inputs.push(self.sequence(&coarse, &fine[..fine.len().saturating_sub(1)]));
            targets.extend(fine);
        }
        if targets.is_empty() {
            return Err(TokenError::NothingToPredict);
        }
        let quantizers = self.fine_quantizers();
        Ok(CodeSequences { inputs, predicted, targets, quantizers, conditions })
    }
}

impl Stage for FineStage {
    type Batch = FineBatch;

    fn loss_leaving(
        &self,
        batch: &FineBatch,
        activations: &mut Activations,
    ) -> Result<StageLoss, TokenError> {
        let sequences = self.sequences(batch)?;
        let loss = self.model.nll(&sequences, activations).mean();
        let nll = loss.clone().detach();
        Ok(StageLoss { loss, nll, tokens: sequences.targets.len(), duration_nll: None })
    }

    fn log_likelihoods(&self, batch: &FineBatch) -> Result<Vec<Vec<f32>>, TokenError> {
        let sequences = self.sequences(batch)?;
        Ok(sequences.log_likelihoods(self.model.nll(&sequences, &mut Activations::Kept)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::{self, check_close, tokens};
    use audiolm_nn::generator;

    const N_QUANTIZERS: usize = 5;
    const N_COARSE: usize = 2;
    const CODES: usize = 8;

    fn stage(device: &Device) -> FineStage {
        stage_of(laws::tiny_decoder(), device)
    }

    fn stage_of(decoder: DecoderConfig, device: &Device) -> FineStage {
        let config = FineStageConfig::new(decoder, N_QUANTIZERS, N_COARSE, CODES);
        laws::seeded(config.init(device).unwrap())
    }

    fn row(n_frames: usize) -> FineRow {
        FineRow { codes: tokens(n_frames * N_QUANTIZERS, CODES as u32, 3), condition: None }
    }

    fn batch(rows: &[FineRow]) -> FineBatch {
        FineBatch { rows: rows.to_vec() }
    }

    #[test]
    fn cached_equals_uncached() {
        let stage = stage(&Device::default());
        let row = row(40);
        let parts = stage.layout().split(&row.codes, N_COARSE).unwrap();
        let prefix = stage.model.given(&parts.coarse, 0..N_COARSE);
        let quantizers = N_COARSE..N_QUANTIZERS;
        let stepwise = stage.model.log_likelihoods_stepwise(prefix, &parts.fine, quantizers, None);
        check_close(&stepwise, &stage.log_likelihoods(&batch(&[row])).unwrap()[0]);
    }

    #[test]
    fn rows_may_be_told_different_things() {
        for by in laws::WAYS {
            let stage = stage_of(laws::told_decoder(by), &Device::default());
            let conditions = [Some(laws::condition(1, 1)), None, Some(laws::condition(3, 2))];
            let rows = conditions.map(|condition| FineRow { condition, ..row(4) });
            let alone: Vec<_> = rows.iter().map(|it| batch(std::slice::from_ref(it))).collect();
            laws::check_rows_are_independent(&stage, &batch(&rows), &alone);
            let scores = stage.log_likelihoods(&batch(&rows)).unwrap();
            assert!(scores[0] != scores[1] && scores[1] != scores[2]);
        }
    }

    #[test]
    fn rows_are_independent() {
        let rows = [row(4), row(1), row(7), row(0)];
        let alone: Vec<_> = rows[..3].iter().map(|it| batch(std::slice::from_ref(it))).collect();
        let stage = stage(&Device::default());
        laws::check_rows_are_independent(&stage, &batch(&rows[..3]), &alone);
        let lengths = stage.log_likelihoods(&batch(&rows)).unwrap();
        assert_eq!(lengths.iter().map(Vec::len).collect::<Vec<_>>(), [12, 3, 21, 0]);
    }

    #[test]
    fn no_code_sees_a_later_one() {
        let (before, mut after) = (row(4), row(4));
        // The second fine code of the third frame: the eighth prediction.
        after.codes[2 * N_QUANTIZERS + N_COARSE + 1] ^= 1;
        laws::check_causal(&stage(&Device::default()), &batch(&[before]), &batch(&[after]), 7);
    }

    #[test]
    fn every_code_sees_all_coarse_ones() {
        let (before, mut after) = (row(4), row(4));
        after.codes[3 * N_QUANTIZERS] ^= 1;
        laws::check_causal(&stage(&Device::default()), &batch(&[before]), &batch(&[after]), 0);
    }

    #[test]
    fn layers_that_are_run_again_give_the_same_gradients() {
        let batch = batch(&[row(4), row(2)]);
        laws::check_recomputation(&stage(&Device::default().autodiff()), &batch);
    }

    #[test]
    fn learns_one_batch_by_heart() {
        laws::overfitted(stage(&Device::default().autodiff()), &batch(&[row(4), row(2)]));
    }

    #[test]
    fn every_code_of_every_quantizer_can_be_drawn() {
        let stage = stage(&Device::default());
        let coarse = tokens(100 * N_COARSE, CODES as u32, 4);
        let request = FineRequest {
            coarse: &coarse,
            prompt_fine: &[],
            sampling: Sampling::at(4.0),
            recall: Recall::NONE,
            recalled_frames: 0,
            condition: None,
            guidance: Guidance::NONE,
        };
        let fine = stage.generate(&request, generator(1, "test", 0)).unwrap();
        assert_eq!(fine.len(), 100 * 3);
        for quantizer in 0..3 {
            let drawn: Vec<_> = fine.iter().skip(quantizer).step_by(3).collect();
            assert!((0..CODES as u32).all(|code| drawn.contains(&&code)), "quantizer {quantizer}");
        }
    }

    #[test]
    fn continues_the_same_for_the_same_seed() {
        let stage = stage(&Device::default());
        let parts = stage.layout().split(&row(6).codes, N_COARSE).unwrap();
        let request = FineRequest {
            coarse: &parts.coarse,
            prompt_fine: &parts.fine[..6],
            sampling: Sampling::at(1.0),
            recall: Recall::NONE,
            recalled_frames: 0,
            condition: None,
            guidance: Guidance::NONE,
        };
        let draw = |seed| stage.generate(&request, generator(seed, "test", 0)).unwrap();
        assert_eq!(draw(1).len(), 4 * 3);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn refuses_more_prompt_than_chunk() {
        let request = FineRequest {
            coarse: &[0; 4],
            prompt_fine: &[0; 9],
            sampling: Sampling::GREEDY,
            recall: Recall::NONE,
            recalled_frames: 0,
            condition: None,
            guidance: Guidance::NONE,
        };
        let error =
            stage(&Device::default()).generate(&request, generator(1, "test", 0)).unwrap_err();
        assert_eq!(error, TokenError::TooManyFrames { expected: 2, found: 3 }.into());
    }

    #[test]
    fn refuses_a_stage_without_fine_codes() {
        let config = FineStageConfig::new(laws::tiny_decoder(), 3, 3, CODES);
        let error = config.init(&Device::default()).unwrap_err();
        assert_eq!(error, ConfigError::NoFineQuantizer { n_coarse: 3, n_quantizers: 3 });
    }

    #[test]
    fn presets_are_of_the_stated_size() {
        let stage = FineStageConfig::tiny().init(&Device::default()).unwrap();
        assert_eq!(stage.num_params(), 2_163_968);
        let stage = FineStageConfig::small().init(&Device::default()).unwrap();
        assert_eq!(stage.num_params(), 14_162_112);
        let paper = FineStageConfig::paper();
        assert_eq!((paper.n_quantizers, paper.n_coarse, paper.codebook_size), (12, 4, 1024));
    }
}
