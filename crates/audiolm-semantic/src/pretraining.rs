//! Learning to guess masked frames: one iteration of HuBERT's pretraining.

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;
use burn::tensor::activation::{log_softmax, softmax};

use crate::prediction_head::PredictionHead;
use crate::{Hubert, HubertConfig, HubertError};

/// Configuration of a [`HubertPretraining`]; defaults as fairseq pretrains HuBERT base.
#[derive(Config, Debug, PartialEq)]
pub struct HubertPretrainingConfig {
    /// The encoder to be trained.
    pub encoder: HubertConfig,
    /// Clusters of the targets: 100 of MFCCs in the first iteration, 500 in the second.
    pub n_clusters: usize,
    /// Width in which outputs and clusters are compared.
    #[config(default = 256)]
    pub d_projection: usize,
    /// τ in the paper: cosines are divided by it.
    #[config(default = 0.1)]
    pub temperature: f64,
    /// Weight of the mean square of the front end's features.
    #[config(default = 10.0)]
    pub feature_penalty: f64,
    /// Factor on the gradient that reaches the front end, that of the penalty included.
    #[config(default = 0.1)]
    pub front_end_gradient: f64,
}

/// The encoder together with what only its training needs.
///
/// One iteration of HuBERT's pretraining: the loss is that of masked frames alone, plus a penalty
/// on the front end's features. LayerDrop, with which fairseq skips one layer in twenty, is left
/// out.
///
/// Dropout is the one random thing in here, and burn draws it from the device's own generator:
/// call `device.seed` with a seed made from the step before each step, and an interrupted run
/// resumes exactly. With a dropout of 0 there is nothing to seed.
#[derive(Module, Debug)]
pub struct HubertPretraining {
    /// The encoder.
    pub encoder: Hubert,
    /// What stands in for a masked frame: `[d_model]`
    mask_embedding: Param<Tensor<1>>,
    head: PredictionHead,
    feature_penalty: f64,
    front_end_gradient: f64,
}

/// Clips of one length, what their frames are to be told as, and which of them are hidden.
#[derive(Debug, Clone)]
pub struct PretrainingBatch {
    /// `[batch, samples]`
    pub wave: Tensor<2>,
    /// The cluster of each frame: `[batch, frames]`
    pub targets: Tensor<2, Int>,
    /// `true` where a frame is hidden: `[batch, frames]`
    pub mask: Tensor<2, Bool>,
}

/// What a step gives: each a tensor `[1]`, and only `loss` to be differentiated.
#[derive(Debug, Clone)]
pub struct PretrainingOutput {
    /// `prediction_loss + feature_penalty`.
    pub loss: Tensor<1>,
    /// Mean cross-entropy over the masked frames, in nats.
    pub prediction_loss: Tensor<1>,
    /// Mean square of the front end's features, weighted.
    pub feature_penalty: Tensor<1>,
    /// Share of the masked frames whose cluster was guessed.
    pub masked_accuracy: Tensor<1>,
    /// How many clusters the guesses of the masked frames are spread over, as a share of all: the
    /// exponential of the entropy of the mean guess, divided by the number of clusters. Near 1 at
    /// the start; near `1 / n_clusters` when every guess is the same, as in a collapsed model.
    pub usage: Tensor<1>,
}

impl HubertPretrainingConfig {
    /// Builds the encoder and the head with fresh weights.
    ///
    /// # Errors
    /// Where the numbers describe no model.
    pub fn init(&self, device: &Device) -> Result<HubertPretraining, HubertError> {
        if self.n_clusters < 2 {
            return Err(HubertError::TooFewClusters { found: self.n_clusters });
        }
        let uniform = Initializer::Uniform { min: 0.0, max: 1.0 };
        Ok(HubertPretraining {
            encoder: self.encoder.init(device)?,
            mask_embedding: uniform.init([self.encoder.d_model], device),
            head: PredictionHead::new(self, device),
            feature_penalty: self.feature_penalty,
            front_end_gradient: self.front_end_gradient,
        })
    }
}

impl HubertPretraining {
    /// Guesses the clusters of the masked frames and says how well.
    ///
    /// # Panics
    /// Where targets or mask are not `[batch, frames]`, with as many frames as
    /// [`HubertConfig::frames`] says.
    pub fn forward(&self, batch: PretrainingBatch) -> PretrainingOutput {
        let PretrainingBatch { wave, targets, mask } = batch;
        let features = self.slowed(self.encoder.convolved(&wave.into()));
        let [n_clips, frames, _] = features.dims();
        assert_shape!(targets, [n_clips, frames]);
        assert_shape!(mask, [n_clips, frames]);

        let penalty = features.clone().square().mean() * self.feature_penalty;
        let input = self.encoder.projection.forward(features);
        let hidden = self.hide(input, mask.clone());
        let logits = self.head.forward(self.encoder.encoder.output(hidden.into()));
        PretrainingOutput::new(&Guesses { logits, targets, mask }, penalty)
    }

    /// The same features, their gradient scaled.
    fn slowed(&self, features: Tensor<3>) -> Tensor<3> {
        let passed = self.front_end_gradient;
        features.clone().detach() * (1.0 - passed) + features * passed
    }

    fn hide(&self, input: Tensor<3>, mask: Tensor<2, Bool>) -> Tensor<3> {
        let [batch, time, d_model] = input.dims();
        let embedding = self.mask_embedding.val().reshape([1, 1, d_model]);
        let mask: Tensor<3, Bool> = mask.unsqueeze_dim(2);
        let shape = [batch, time, d_model];
        input.mask_where(mask.expand(shape), embedding.expand(shape))
    }
}

struct Guesses {
    /// `[batch, frames, n_clusters]`
    logits: Tensor<3>,
    targets: Tensor<2, Int>,
    mask: Tensor<2, Bool>,
}

impl PretrainingOutput {
    fn new(guesses: &Guesses, feature_penalty: Tensor<1>) -> Self {
        let prediction_loss = guesses.cross_entropy();
        Self {
            loss: prediction_loss.clone() + feature_penalty.clone(),
            prediction_loss: prediction_loss.detach(),
            feature_penalty: feature_penalty.detach(),
            masked_accuracy: guesses.accuracy(),
            usage: guesses.usage(),
        }
    }
}

impl Guesses {
    fn cross_entropy(&self) -> Tensor<1> {
        let targets: Tensor<3, Int> = self.targets.clone().unsqueeze_dim(2);
        let log_likelihood = log_softmax(self.logits.clone(), 2).gather(2, targets);
        -self.masked_mean(log_likelihood.squeeze_dim(2))
    }

    fn accuracy(&self) -> Tensor<1> {
        let guess = self.logits.clone().detach().argmax(2).squeeze_dim(2);
        self.masked_mean(guess.equal(self.targets.clone()).float())
    }

    fn usage(&self) -> Tensor<1> {
        let [batch, frames, n_clusters] = self.logits.dims();
        let guesses = softmax(self.logits.clone().detach(), 2);
        let weights = self.mask.clone().float().reshape([1, batch * frames]);
        let total = weights.clone().sum_dim(1).clamp_min(1.0);
        let mean = weights.matmul(guesses.reshape([batch * frames, n_clusters])) / total;
        let entropy = -(mean.clone() * mean.clamp_min(1e-9).log()).sum();
        entropy.exp() / n_clusters as f64
    }

    fn masked_mean(&self, values: Tensor<2>) -> Tensor<1> {
        let weights = self.mask.clone().float();
        (values * weights.clone()).sum() / weights.sum().clamp_min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    const SAMPLES: usize = 4000;
    /// Both factors pass through the same sums, of features that are rounded apart.
    const ROUNDING: f32 = 1e-3;

    /// How the penalty alone would move each sample: what has come through the whole front end.
    fn pull(model: &HubertPretraining, frames: usize) -> Tensor<2> {
        let device = Device::default().autodiff();
        let samples: Vec<f32> = (0..SAMPLES).map(|it| (0.3 * it as f32).sin()).collect();
        let wave = Tensor::<2>::from_data(TensorData::new(samples, [1, SAMPLES]), &device);
        let wave = wave.require_grad();
        let targets = Tensor::<2, Int>::zeros([1, frames], &device);
        // Where no frame is hidden there is nothing to guess, and the penalty is the whole loss.
        let mask = targets.clone().equal_elem(1);
        let output = model.forward(PretrainingBatch { wave: wave.clone(), targets, mask });
        wave.grad(&output.loss.backward()).unwrap()
    }

    #[test]
    fn the_penalty_is_slowed_with_the_rest() {
        let encoder = HubertConfig { n_layers: 1, ..presets::tiny() };
        let frames = encoder.frames(SAMPLES);
        let config = HubertPretrainingConfig::new(encoder, 2);
        let mut model = config.init(&Device::default().autodiff()).unwrap();
        model.front_end_gradient = 1.0;
        let whole = pull(&model, frames);
        model.front_end_gradient = 0.25;
        let quarter = pull(&model, frames);

        let greatest = |it: Tensor<2>| it.abs().max().into_scalar::<f32>();
        let scale = greatest(whole.clone());
        assert!(scale > 0.0, "the penalty moves nothing");
        assert!(greatest(quarter * 4.0 - whole) < ROUNDING * scale);
    }
}
