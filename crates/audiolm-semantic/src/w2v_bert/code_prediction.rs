//! Guessing the codes of hidden frames.

use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::{log_softmax, softmax};

use super::W2vBertPretrainingConfig;
use super::gumbel_quantizer::mean_perplexity;
use crate::linear::bert_linear;

/// The masked prediction task of w2v-BERT (Chung et al. 2021, arXiv 2108.06209, section 2.3): a
/// softmax over the entries, for each codebook.
#[derive(Module, Debug)]
pub(crate) struct CodePrediction {
    head: Linear,
    n_groups: usize,
    n_entries: usize,
}

/// Each a tensor `[1]`, the mean over codebooks.
#[derive(Debug, Clone)]
pub(crate) struct PredictionOutput {
    /// Mean cross-entropy, in nats.
    pub(crate) loss: Tensor<1>,
    /// Share of the codes that were guessed.
    pub(crate) accuracy: Tensor<1>,
    /// The exponential of the entropy of the mean guess.
    pub(crate) spread: Tensor<1>,
}

impl CodePrediction {
    pub(crate) fn new(config: &W2vBertPretrainingConfig, device: &Device) -> Self {
        let (n_groups, n_entries) = (config.quantizer.n_groups, config.quantizer.n_entries);
        let head = bert_linear(config.encoder.d_model, n_groups * n_entries, device);
        Self { head, n_groups, n_entries }
    }

    /// # Shapes
    /// - output: `[n, d_model]`
    /// - ids: `[n, n_groups]`
    pub(crate) fn forward(&self, output: Tensor<2>, ids: &Tensor<2, Int>) -> PredictionOutput {
        let n = output.dims()[0];
        let logits = self.head.forward(output).reshape([n, self.n_groups, self.n_entries]);
        let truth = ids.clone().unsqueeze_dim::<3>(2);
        let loss = -log_softmax(logits.clone(), 2).gather(2, truth.clone()).mean();
        let guesses = softmax(logits.detach(), 2);
        let accuracy = guesses.clone().argmax(2).equal(truth).float().mean();
        let spread = mean_perplexity(guesses.mean_dim(0).squeeze_dim(0));
        PredictionOutput { loss, accuracy, spread }
    }
}
