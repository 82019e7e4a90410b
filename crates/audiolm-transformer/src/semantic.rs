//! Stage 1: semantic tokens, p(z_t | z_<t).
//!
//! AudioLM collapses runs of equal tokens to one and drops how long each lasted (section III-B),
//! as SPEAR-TTS does. Users ask for seconds, though, and a model that knows no time can neither
//! fill an asked length nor stop at it. So, **as our addition**, every token carries its duration:
//! it is read as the sum of two embeddings, id and duration, and predicted in two steps,
//!
//! ```text
//! p(id, duration | past) = p(id | past) · p(duration | id, past)
//! ```
//!
//! The first factor is the paper's model. Its likelihood is what the stage reports as `nll`.
//!
//! The start token is read only where a recording starts, and the end token is predicted only
//! where one ends. A crop that begins or stops in the middle teaches neither.

use audiolm_nn::{Weights, product};
use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::gelu;

use crate::activations::Activations;
use crate::decoder::Decoder;
use crate::decoder_config::DecoderConfig;
use crate::error::{ConfigError, TokenError};
use crate::layout::nonzero;
use crate::sampler::Sampling;
use crate::semantic_sequence::{SemanticBatch, SemanticSequences};
use crate::stage::{Stage, StageLoss, at_positions, embedding_table, in_rows, nll, on_host};

/// Configuration of a [`SemanticStage`].
#[derive(Config, Debug, PartialEq)]
pub struct SemanticStageConfig {
    /// The stack.
    pub decoder: DecoderConfig,
    /// Number of semantic clusters (K in the paper).
    pub n_ids: usize,
    /// Longest duration told apart, in frames; longer ones count as this.
    #[config(default = 32)]
    pub max_duration: usize,
}

/// The language model of deduplicated semantic tokens and their durations.
#[derive(Module, Debug)]
pub struct SemanticStage {
    pub(crate) decoder: Decoder,
    /// `[n_ids + 2, d_model]`: the ids, the end, the start. All but the start are also scored.
    ids: Param<Tensor<2>>,
    /// `[max_duration, d_model]`: durations from 1 frame.
    durations: Param<Tensor<2>>,
    /// `[n_ids, d_model]`: what the choice of an id says about its duration.
    chosen: Param<Tensor<2>>,
    duration_head: Linear,
    pub(crate) n_ids: usize,
    pub(crate) max_duration: usize,
}

impl SemanticStageConfig {
    /// AudioLM's first stage: K = 1024 (sections III-B and IV-A).
    pub fn paper() -> Self {
        Self::new(DecoderConfig::paper(), 1024)
    }

    /// The first stage of audiolm-pytorch's README: width 1024, 500 ids.
    pub fn audiolm_pytorch() -> Self {
        Self::new(DecoderConfig::audiolm_pytorch(1024), 500)
    }

    /// A stage of about 9.9 M parameters, for a graphics card: K = 500.
    pub fn small() -> Self {
        Self::new(DecoderConfig::small(), 500)
    }

    /// A stage of about 0.9 M parameters, for a processor: K = 256.
    pub fn tiny() -> Self {
        Self::new(DecoderConfig::new(128, 4, 4, 512), 256)
    }

    /// Builds the stage with fresh weights, or names what is wrong with the numbers.
    pub fn init(&self, device: &Device) -> Result<SemanticStage, ConfigError> {
        let Self { n_ids, max_duration, .. } = *self;
        nonzero("n_ids", n_ids)?;
        nonzero("max_duration", max_duration)?;
        let d_model = self.decoder.d_model;
        Ok(SemanticStage {
            decoder: self.decoder.init(device)?,
            ids: embedding_table(n_ids + 2, d_model, device),
            durations: embedding_table(max_duration, d_model, device),
            chosen: burn::nn::Initializer::Normal { mean: 0.0, std: 1.0 }
                .init([n_ids, d_model], device),
            duration_head: LinearConfig::new(d_model, max_duration).init(device),
            n_ids,
            max_duration,
        })
    }
}

impl SemanticStage {
    /// AudioLM's temperature for this stage (section IV-A), without truncation.
    pub const PAPER_SAMPLING: Sampling = Sampling::at(0.6);

    /// The same with the weights of its decoder as these, for use, not to learn.
    pub fn with_weights(self, weights: Weights) -> Self {
        Self { decoder: self.decoder.with_weights(weights), ..self }
    }

    /// The token predicted where a recording ends; the ids come before it.
    pub fn end(&self) -> u32 {
        self.n_ids as u32
    }

    /// The token read where a recording starts.
    pub fn start(&self) -> u32 {
        self.n_ids as u32 + 1
    }

    /// Durations as classes: 0 is one frame.
    pub(crate) fn duration_class(&self, duration: u32) -> u32 {
        duration.clamp(1, self.max_duration as u32) - 1
    }

    /// What the decoder reads: id plus duration. The start token has no duration; it takes the
    /// first class, which its own embedding absorbs.
    pub(crate) fn embed(&self, sequences: &SemanticSequences) -> Tensor<3> {
        sequences.ids.embed(self.ids.val()) + sequences.durations.embed(self.durations.val())
    }

    /// Scores of all ids and of the end.
    ///
    /// # Shapes
    /// - hidden: `[n, d_model]`; output: `[n, n_ids + 1]`
    pub(crate) fn id_logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        let scored = self.ids.val().slice_dim(0, 0..self.n_ids + 1);
        product(hidden, scored.transpose())
    }

    /// Scores of the durations of ids that have just been chosen.
    ///
    /// # Shapes
    /// - hidden: `[n, d_model]`; output: `[n, max_duration]`
    pub(crate) fn duration_logits(&self, hidden: Tensor<2>, chosen: &[i32]) -> Tensor<2> {
        let chosen = Tensor::<1, Int>::from_data(chosen, &hidden.device());
        let chosen = self.chosen.val().select(0, chosen);
        self.duration_head.forward(gelu(hidden + chosen))
    }

    fn nlls(&self, sequences: &SemanticSequences, activations: &mut Activations) -> SemanticNll {
        let conditions = sequences.conditions.as_ref();
        let hidden =
            self.decoder.forward_leaving(self.embed(sequences), None, conditions, activations);
        let of_ids = at_positions(hidden.clone(), &sequences.id_positions);
        let ids = nll(self.id_logits(of_ids), &sequences.id_targets);
        let timed = &sequences.timed;
        let durations = (!timed.positions.is_empty()).then(|| {
            let hidden = at_positions(hidden, &timed.positions);
            nll(self.duration_logits(hidden, &timed.ids), &timed.targets)
        });
        SemanticNll { ids, durations }
    }
}

/// Negative log-likelihoods of all predictions, `[n]` each.
struct SemanticNll {
    ids: Tensor<1>,
    durations: Option<Tensor<1>>,
}

impl Stage for SemanticStage {
    type Batch = SemanticBatch;

    fn loss_leaving(
        &self,
        batch: &SemanticBatch,
        activations: &mut Activations,
    ) -> Result<StageLoss, TokenError> {
        let sequences = SemanticSequences::new(self, batch)?;
        let SemanticNll { ids, durations } = self.nlls(&sequences, activations);
        let ids = ids.mean();
        let durations = durations.map(Tensor::mean);
        let loss = match &durations {
            Some(durations) => ids.clone() + durations.clone(),
            None => ids.clone(),
        };
        Ok(StageLoss {
            loss,
            nll: ids.detach(),
            tokens: sequences.id_targets.len(),
            duration_nll: durations.map(Tensor::detach),
        })
    }

    /// Of ids and ends, without the durations: comparable with the paper's model.
    fn log_likelihoods(&self, batch: &SemanticBatch) -> Result<Vec<Vec<f32>>, TokenError> {
        let sequences = SemanticSequences::new(self, batch)?;
        let values = on_host(self.nlls(&sequences, &mut Activations::Kept).ids.neg());
        Ok(in_rows(&values, sequences.predictions_per_row.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guidance::Guidance;
    use crate::laws::{self, check_close, log_softmax, tokens};
    use crate::semantic_generate::{Length, SemanticPrompt, SemanticRequest};
    use crate::semantic_sequence::SemanticRow;
    use audiolm_nn::generator;

    const N_IDS: usize = 6;

    fn stage(device: &Device) -> SemanticStage {
        stage_of(laws::tiny_decoder(), device)
    }

    fn stage_of(decoder: DecoderConfig, device: &Device) -> SemanticStage {
        let config = SemanticStageConfig::new(decoder, N_IDS).with_max_duration(4);
        laws::seeded(config.init(device).unwrap())
    }

    /// A clip that starts with its recording and stops within it.
    fn row(length: usize) -> SemanticRow {
        SemanticRow {
            ids: tokens(length, N_IDS as u32, 5),
            durations: tokens(length, 6, 6).iter().map(|it| it + 1).collect(),
            starts: true,
            ends: false,
            condition: None,
        }
    }

    fn batch(rows: &[SemanticRow]) -> SemanticBatch {
        SemanticBatch { rows: rows.to_vec() }
    }

    #[track_caller]
    fn check_cached_equals_uncached(stage: &SemanticStage, row: SemanticRow) {
        let conditions = stage.decoder.conditions(&[row.condition.as_ref()]).unwrap();
        let mut cache = stage.decoder.cache(1, row.ids.len(), conditions.as_ref());
        let mut read = SemanticRow { starts: true, ..Default::default() };
        let mut stepwise = Vec::new();
        for (id, duration) in row.ids.iter().zip(&row.durations) {
            let embedded = stage.embed(&SemanticSequences::reading(stage, &[read]));
            let hidden = stage.decoder.step(embedded, &mut cache).squeeze_dim(1);
            let logits = on_host(stage.id_logits(hidden).flatten(0, 1));
            stepwise.push(log_softmax(&logits)[*id as usize]);
            read = SemanticRow { ids: vec![*id], durations: vec![*duration], ..Default::default() };
        }
        check_close(&stepwise, &stage.log_likelihoods(&batch(&[row])).unwrap()[0]);
    }

    #[test]
    fn cached_equals_uncached() {
        check_cached_equals_uncached(&stage(&Device::default()), row(140));
    }

    #[test]
    fn cached_equals_uncached_whatever_it_is_told() {
        for by in laws::WAYS {
            let stage = stage_of(laws::told_decoder(by), &Device::default());
            check_cached_equals_uncached(&stage, row(30));
            let condition = Some(laws::condition(4, 1));
            check_cached_equals_uncached(&stage, SemanticRow { condition, ..row(30) });
        }
    }

    #[test]
    fn what_it_is_told_decides_what_it_makes() {
        for by in laws::WAYS {
            // Nothing but the condition tells the two apart.
            let told = [1, 2].map(|salt| Some(laws::condition(2, salt)));
            let ids = tokens(6, N_IDS as u32, 77);
            let second = SemanticRow { ids, condition: told[1].clone(), ..row(6) };
            let rows = [SemanticRow { condition: told[0].clone(), ..row(6) }, second];
            let fresh = stage_of(laws::told_decoder(by), &Device::default().autodiff());
            let stage = laws::overfitted(fresh, &batch(&rows)).valid();
            for row in rows {
                let condition = row.condition.clone();
                let prompt = SemanticPrompt { starts: true, condition, ..Default::default() };
                let request = SemanticRequest {
                    // The last run may be cut.
                    length: Length::Exactly(row.durations[..5].iter().sum::<u32>() as usize),
                    ids: Sampling::GREEDY,
                    durations: Sampling::GREEDY,
                    guidance: Guidance::NONE,
                };
                let rng = generator(1, "test", 0);
                let runs = stage.generate(&prompt, &request, rng).unwrap();
                assert_eq!(runs.ids[..4], row.ids[..4]);
            }
        }
    }

    #[test]
    fn rows_are_independent() {
        let rows = [row(5), SemanticRow { starts: false, ends: true, ..row(9) }, row(2)];
        let alone: Vec<_> = rows.iter().map(|it| batch(std::slice::from_ref(it))).collect();
        laws::check_rows_are_independent(&stage(&Device::default()), &batch(&rows), &alone);
    }

    #[test]
    fn no_id_sees_a_later_one() {
        let (before, mut after) = (row(9), row(9));
        after.ids[4] = (after.ids[4] + 1) % N_IDS as u32;
        laws::check_causal(&stage(&Device::default()), &batch(&[before]), &batch(&[after]), 4);
    }

    #[test]
    fn an_id_sees_earlier_durations() {
        let (before, mut after) = (row(9), row(9));
        after.durations[4] = 1 + after.durations[4] % 4;
        laws::check_causal(&stage(&Device::default()), &batch(&[before]), &batch(&[after]), 5);
    }

    #[track_caller]
    fn check_targets(starts: bool, ends: bool, ids: &[i32], durations: &[i32]) {
        let stage = stage(&Device::default());
        let (read_ids, lasting) = (vec![3, 1, 2], vec![1, 9, 2]);
        let row = SemanticRow { ids: read_ids, durations: lasting, starts, ends, condition: None };
        let sequences = SemanticSequences::new(&stage, &batch(&[row])).unwrap();
        assert_eq!(sequences.id_targets, ids);
        assert_eq!(sequences.timed.targets, durations);
        let read = if starts { vec![7, 3, 1, 2] } else { vec![3, 1, 2] };
        assert_eq!(sequences.ids.tokens, read);
    }

    #[test]
    fn starts_and_ends_are_learnt_only_where_they_are() {
        // 6 is the end; 9 frames count as the longest class, 3.
        check_targets(true, true, &[3, 1, 2, 6], &[0, 3, 1]);
        check_targets(true, false, &[3, 1, 2], &[0, 3]);
        check_targets(false, true, &[1, 2, 6], &[3, 1]);
        check_targets(false, false, &[1, 2], &[3]);
    }

    #[test]
    fn layers_that_are_run_again_give_the_same_gradients() {
        let batch = batch(&[row(7), row(5)]);
        laws::check_recomputation(&stage(&Device::default().autodiff()), &batch);
    }

    #[test]
    fn learns_one_batch_by_heart() {
        let rows = [SemanticRow { ends: true, ..row(7) }, row(5)];
        laws::overfitted(stage(&Device::default().autodiff()), &batch(&rows));
    }

    #[test]
    fn loss_is_ids_and_durations() {
        let loss = stage(&Device::default()).loss(&batch(&[row(7), row(5)])).unwrap();
        assert_eq!(loss.tokens, 12);
        let parts = loss.nll + loss.duration_nll.unwrap();
        check_close(&[loss.loss.into_scalar()], &[parts.into_scalar()]);
    }

    #[test]
    fn refuses_what_is_no_row() {
        let stage = stage(&Device::default());
        let error = |row| stage.loss(&batch(&[row])).unwrap_err();
        let short = SemanticRow { ids: vec![1, 2], durations: vec![1], ..Default::default() };
        assert_eq!(error(short), TokenError::UnequalLengths { ids: 2, durations: 1 });
        let (token, position, value, bound) = ("semantic id", 0, 6, N_IDS);
        let strange = SemanticRow { ids: vec![6], durations: vec![1], ..Default::default() };
        assert_eq!(error(strange), TokenError::OutOfRange { token, position, value, bound });
        let lonely = SemanticRow { ids: vec![1], durations: vec![1], ..Default::default() };
        assert_eq!(error(lonely), TokenError::NothingToPredict);
    }

    #[test]
    fn presets_are_of_the_stated_size() {
        let stage = SemanticStageConfig::tiny().init(&Device::default()).unwrap();
        assert_eq!(stage.num_params(), 861_728);
        let stage = SemanticStageConfig::small().init(&Device::default()).unwrap();
        assert_eq!(stage.num_params(), 9_852_320);
        let paper = SemanticStageConfig::paper();
        assert_eq!((paper.n_ids, paper.decoder.d_ff, paper.decoder.dropout), (1024, 4096, 0.1));
    }
}
