//! Learning to tell and to guess the codes of hidden frames: w2v-BERT's pretraining.

mod code_prediction;
mod contrastive;
mod gumbel_quantizer;
mod hidden_frames;
#[cfg(test)]
mod parity;

use audiolm_nn::Generator;
use burn::prelude::*;

use crate::{Conformer, ConformerConfig, HubertError, SpanMasking};
use code_prediction::{CodePrediction, PredictionOutput};
use contrastive::{Candidates, ContrastiveOutput, ContrastiveTask};
use gumbel_quantizer::{CodeChoice, GumbelQuantizer, Quantized};
pub use gumbel_quantizer::{GumbelQuantizerConfig, GumbelTemperature};
use hidden_frames::HiddenFrames;

/// Configuration of a [`W2vBertPretraining`]; defaults as in w2v-BERT (Chung et al. 2021, arXiv
/// 2108.06209, sections 2 and 3), and where it leaves them open as in wav2vec 2.0 (Baevski et al.
/// 2020, arXiv 2006.11477, section 4.2).
#[derive(Config, Debug, PartialEq)]
pub struct W2vBertPretrainingConfig {
    /// The encoder to be trained.
    pub encoder: ConformerConfig,
    /// Layers of the contrastive module; those above are the masked prediction module.
    pub n_contrastive_layers: usize,
    /// What makes the codes.
    #[config(default = "GumbelQuantizerConfig::new()")]
    pub quantizer: GumbelQuantizerConfig,
    /// How undecided the choice of codes is.
    #[config(default = "GumbelTemperature::new()")]
    pub gumbel: GumbelTemperature,
    /// Which frames are hidden.
    #[config(default = "SpanMasking::new().with_start_probability(0.065)")]
    pub masking: SpanMasking,
    /// Width in which contexts and codes are compared.
    #[config(default = 256)]
    pub d_projection: usize,
    /// K: what each hidden frame is to be told from.
    #[config(default = 100)]
    pub n_distractors: usize,
    /// κ: cosines are divided by it.
    #[config(default = 0.1)]
    pub contrastive_temperature: f64,
    /// α: weight of the diversity loss within the contrastive one.
    #[config(default = 0.1)]
    pub diversity_weight: f64,
    /// γ: weight of the masked prediction loss, that of the contrastive one being 1.
    #[config(default = 1.0)]
    pub prediction_weight: f64,
}

/// The encoder together with what only its training needs.
///
/// Codes are made of the log-mels, as they are after the encoder's first norm; hidden frames are
/// random vectors from there on.
///
/// Dropout is the one random thing in here, and burn draws it from the device's own generator:
/// call `device.seed` with a seed made from the step before each step, and an interrupted run
/// resumes exactly. All else is drawn with the [batch](W2vBertBatch).
#[derive(Module, Debug)]
pub struct W2vBertPretraining {
    /// The encoder.
    pub encoder: Conformer,
    quantizer: GumbelQuantizer,
    contrastive: ContrastiveTask,
    prediction: CodePrediction,
    #[module(skip)]
    weights: LossWeights,
}

#[derive(Debug, Clone)]
struct LossWeights {
    n_contrastive_layers: usize,
    diversity: f64,
    prediction: f64,
}

/// Clips of one length, and whatever chance decides: drawn on the host, so that the same seed means
/// the same loss on every backend.
#[derive(Debug, Clone)]
pub struct W2vBertBatch {
    /// `[batch, samples]`
    wave: Tensor<2>,
    hidden: HiddenFrames,
    candidates: Candidates,
    choice: CodeChoice,
}

/// What a step gives: each a tensor `[1]` over the hidden frames, and only `loss` to be
/// differentiated.
#[derive(Debug, Clone)]
pub struct W2vBertOutput {
    /// The contrastive, the diversity and the masked prediction loss, weighted.
    pub loss: Tensor<1>,
    /// Mean cross-entropy of telling the code of a frame from those of others, in nats.
    pub contrastive_loss: Tensor<1>,
    /// From 0, where all entries have the same share, to nearly 1, where one has all.
    pub diversity_loss: Tensor<1>,
    /// Mean cross-entropy of guessing the code of a frame, in nats.
    pub prediction_loss: Tensor<1>,
    /// Share of the frames whose code was told from every other among the distractors.
    pub contrastive_accuracy: Tensor<1>,
    /// The same for one who draws by lot among the codes that differ. One who always takes the most
    /// frequent code does better: about as well as `majority`.
    pub contrastive_chance: Tensor<1>,
    /// Share of the codes that were guessed.
    pub prediction_accuracy: Tensor<1>,
    /// The same for one who always guesses the code that is most frequent in this very batch.
    pub majority: Tensor<1>,
    /// The exponential of the entropy of the codes: how many are in use. 1 in a collapsed model.
    pub code_perplexity: Tensor<1>,
    /// The same of the mean guess.
    pub guess_perplexity: Tensor<1>,
}

impl W2vBertPretrainingConfig {
    /// Builds the encoder and what trains it with fresh weights.
    ///
    /// # Errors
    /// Where the numbers describe no model.
    pub fn init(&self, device: &Device) -> Result<W2vBertPretraining, HubertError> {
        self.validate()?;
        Ok(W2vBertPretraining {
            encoder: self.encoder.init(device)?,
            quantizer: self.quantizer.init(self.encoder.n_features(), device),
            contrastive: ContrastiveTask::new(self, device),
            prediction: CodePrediction::new(self, device),
            weights: LossWeights {
                n_contrastive_layers: self.n_contrastive_layers,
                diversity: self.diversity_weight,
                prediction: self.prediction_weight,
            },
        })
    }

    /// A batch to learn from, whose codes are chosen with the noise of `step`.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`; the batch lies on its device
    ///
    /// # Panics
    /// Where a wave is shorter than two frames, or spans hide a single one.
    pub fn training_batch(&self, wave: Tensor<2>, step: u64, rng: &mut Generator) -> W2vBertBatch {
        let batch = self.held_out_batch(wave, rng);
        let n_hidden = batch.hidden.counts().iter().sum();
        let noise = self.quantizer.noise(n_hidden, rng, &batch.wave.device());
        let temperature = self.gumbel.at(step);
        W2vBertBatch { choice: CodeChoice::Gumbel { noise, temperature }, ..batch }
    }

    /// A batch to be judged by, whose codes are those of the greatest logits.
    ///
    /// Shapes and panics as [`training_batch`](Self::training_batch).
    pub fn held_out_batch(&self, wave: Tensor<2>, rng: &mut Generator) -> W2vBertBatch {
        let ([n_clips, samples], device) = (wave.dims(), wave.device());
        let shape = [n_clips, self.encoder.frames(samples), self.encoder.n_features()];
        let hidden = HiddenFrames::draw(&self.masking, shape, rng, &device);
        let candidates = Candidates::draw(hidden.counts(), self.n_distractors, rng, &device);
        W2vBertBatch { wave, hidden, candidates, choice: CodeChoice::Greatest }
    }

    /// Checks that the numbers describe a model and its losses.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn validate(&self) -> Result<(), HubertError> {
        self.encoder.validate()?;
        self.quantizer.validate()?;
        let sizes = [("d_projection", self.d_projection), ("n_distractors", self.n_distractors)];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(HubertError::ZeroSize { name });
        }
        let (found, n_layers) = (self.n_contrastive_layers, self.encoder.n_layers);
        match (1..n_layers).contains(&found) {
            true => Ok(()),
            false => Err(HubertError::ContrastiveLayers { found, n_layers }),
        }
    }
}

impl W2vBertPretraining {
    /// Tells and guesses the codes of the hidden frames, and says how well (figure 1 of the paper).
    pub fn forward(&self, batch: W2vBertBatch) -> W2vBertOutput {
        let W2vBertBatch { wave, hidden, candidates, choice } = batch;
        let features = self.encoder.normalised_mels(&wave.into());

        let entered = hidden.hide(features.clone());
        let [context, understood] = self.modules(entered).map(|it| hidden.of(it));
        let quantized = self.quantizer.forward(hidden.of(features), &choice);

        let contrastive = self.contrastive.forward(context, &quantized, &candidates);
        let prediction = self.prediction.forward(understood, &quantized.ids);
        self.output(&quantized, contrastive, prediction)
    }

    /// What leaves the contrastive module, and what leaves the masked prediction module above it.
    fn modules(&self, features: Tensor<3>) -> [Tensor<3>; 2] {
        let layers = [self.weights.n_contrastive_layers, self.encoder.n_layers()];
        let outputs = self.encoder.outputs_of_mels(features, None, &layers);
        outputs.try_into().expect("an output for each of two layers")
    }

    fn output(
        &self,
        quantized: &Quantized,
        contrastive: ContrastiveOutput,
        prediction: PredictionOutput,
    ) -> W2vBertOutput {
        let diversity = quantized.diversity_loss();
        let told = contrastive.loss.clone() + diversity.clone() * self.weights.diversity;
        W2vBertOutput {
            loss: told + prediction.loss.clone() * self.weights.prediction,
            contrastive_loss: contrastive.loss.detach(),
            diversity_loss: diversity.detach(),
            prediction_loss: prediction.loss.detach(),
            contrastive_accuracy: contrastive.accuracy,
            contrastive_chance: contrastive.chance,
            prediction_accuracy: prediction.accuracy,
            majority: quantized.majority(),
            code_perplexity: quantized.perplexity(),
            guess_perplexity: prediction.spread,
        }
    }
}
