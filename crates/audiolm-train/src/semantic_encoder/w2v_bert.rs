//! w2v-BERT's pretraining: telling and guessing codes that are learnt along (Chung et al. 2021, arXiv
//! 2108.06209).

use std::path::Path;

use audiolm_nn::{Generator, generator};
use audiolm_semantic::{
    Encoder, SemanticError, W2vBertOutput, W2vBertPretraining, W2vBertPretrainingConfig,
};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use rand::{Rng, RngExt};

use super::crops::{Crops, Draw};
use super::{PART, Spread, scalar, validated};
use crate::drive::Trainee;
use crate::learner::Learner;
use crate::recordings::Waves;
use crate::{Measures, TrainError};

/// What is measured of held-out recordings.
const VALIDATED: [&str; 9] = [
    "contrastive",
    "diversity",
    "prediction",
    "contrastive_accuracy",
    "contrastive_chance",
    "prediction_accuracy",
    "majority",
    "code_perplexity",
    "guess_perplexity",
];

/// w2v-BERT's pretraining under way.
pub(super) struct W2vBertTrainee<'a> {
    crops: Crops<'a>,
    config: &'a W2vBertPretrainingConfig,
    learner: Learner<W2vBertPretraining>,
}

impl<'a> W2vBertTrainee<'a> {
    pub(super) fn new(
        crops: Crops<'a>,
        config: &'a W2vBertPretrainingConfig,
    ) -> Result<Self, TrainError> {
        crops.device.seed(crops.seed);
        let model = config.init(&crops.device.clone().autodiff()).map_err(SemanticError::from)?;
        Ok(Self { crops, config, learner: Learner::new(model, "model.bpk") })
    }

    /// What has been trained.
    pub(super) fn encoder(&self) -> Encoder {
        self.learner.model.valid().encoder.into()
    }

    /// Crops, and the generator for what else a batch draws.
    fn drawn(&self, store: &Waves, draw: Draw) -> Result<(Tensor<2>, Generator), TrainError> {
        let wave = self.crops.padded(store, draw, self.crops.settings.batch)?;
        let mut rng = generator(self.crops.seed, draw.stream, draw.step);
        // The first number has chosen the crops.
        let _: u64 = rng.random();
        Ok((wave, rng))
    }

    /// Refuses to go on with codes that are all the same, or with guesses that are. While it still
    /// warms up, that is how it begins.
    fn check_spread(&self, step: u64, measured: &Measures) -> Result<(), TrainError> {
        let n_clusters = self.config.quantizer.n_entries;
        let of = |of, name| {
            let over = measured.get(name).unwrap_or(f64::NAN);
            Spread { of, over, n_clusters }.check(step, self.crops.settings)
        };
        of("codes", "code_perplexity")?;
        of("guesses", "guess_perplexity")
    }
}

fn measures(output: &W2vBertOutput) -> Measures {
    Measures::default()
        .with("loss", scalar(&output.loss))
        .with("contrastive", scalar(&output.contrastive_loss))
        .with("diversity", scalar(&output.diversity_loss))
        .with("prediction", scalar(&output.prediction_loss))
        .with("contrastive_accuracy", scalar(&output.contrastive_accuracy))
        .with("contrastive_chance", scalar(&output.contrastive_chance))
        .with("prediction_accuracy", scalar(&output.prediction_accuracy))
        .with("majority", scalar(&output.majority))
        .with("code_perplexity", scalar(&output.code_perplexity))
        .with("guess_perplexity", scalar(&output.guess_perplexity))
}

impl Trainee for W2vBertTrainee<'_> {
    fn stage(&self) -> &'static str {
        PART
    }

    fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
        let (wave, mut rng) = self.drawn(self.crops.train, Draw { stream: "crops", step })?;
        let batch = self.config.training_batch(wave.autodiff(), step, &mut rng);
        self.crops.device.seed(generator(self.crops.seed, "dropout", step).next_u64());
        let output = self.learner.model.forward(batch);
        let gradients = GradientsParams::from_grads(output.loss.backward(), &self.learner.model);
        let rate = self.crops.settings.schedule.learning_rate(step);
        self.learner.descend(gradients, rate);
        let temperature = self.config.gumbel.at(step);
        Ok(measures(&output).with("learning_rate", rate).with("temperature", temperature))
    }

    fn validate(&mut self, step: u64) -> Result<Measures, TrainError> {
        let model = self.learner.model.valid();
        let measured = validated(&VALIDATED, |step| {
            let (wave, mut rng) = self.drawn(self.crops.valid, Draw { stream: "valid", step })?;
            Ok(measures(&model.forward(self.config.held_out_batch(wave, &mut rng))))
        })?;
        self.check_spread(step, &measured)?;
        Ok(measured)
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        self.learner.save(folder)
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.learner.restore(folder)
    }
}
