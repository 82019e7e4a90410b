//! What the codec is trained against, and what it takes to go on with it.

use std::path::Path;

use audiolm_codec::{
    DiscriminatorConfig, DiscriminatorOutput, DiscriminatorSet, LossBalancer, discriminator_hinge,
};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::prelude::*;

use super::losses::{Heard, Leaves};
use crate::checkpoint::{
    load_module, load_optimizer, load_state, save_module, save_optimizer, save_state,
};
use crate::{CodecSettings, TrainError};

/// The discriminators, their optimiser, and the norms of the gradients that they send the codec.
pub(crate) struct Adversary {
    set: DiscriminatorSet,
    optimizer: ModuleOptimizer,
    pub(crate) balancer: LossBalancer,
    gradients: GradientsAccumulator<DiscriminatorSet>,
}

/// What the discriminators make of a batch.
pub(crate) struct Verdict {
    /// Of the recordings, without gradients.
    pub(crate) recording: Vec<DiscriminatorOutput>,
    /// Of the reconstructions; gradients reach these and not the discriminators.
    pub(crate) reconstruction: Vec<DiscriminatorOutput>,
    /// The same for their features, from another leaf where the losses hear apart.
    pub(crate) matched: Vec<DiscriminatorOutput>,
    /// The discriminators' own loss.
    pub(crate) discriminator: Tensor<1>,
}

/// Whether the discriminators learn from what they judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judging {
    Learning,
    Only,
}

impl Adversary {
    /// None where the settings name no discriminators.
    pub(crate) fn new(
        settings: &CodecSettings,
        device: &Device,
    ) -> Result<Option<Self>, TrainError> {
        let configs = &settings.adversary.discriminators;
        if configs.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            set: DiscriminatorConfig::init_set(configs, device)?,
            optimizer: settings.optimizer(),
            balancer: LossBalancer::default(),
            gradients: GradientsAccumulator::new(),
        }))
    }

    /// Judges recordings `[batch, 1, samples]` and their reconstructions; gradients for the
    /// discriminators, of so many batches one, wait for [`step`](Self::step).
    pub(crate) fn judge(
        &mut self,
        wave: Tensor<3>,
        heard: &Heard,
        judging: Judging,
        batches: usize,
    ) -> Verdict {
        let batch = wave.dims()[0];
        let both = Tensor::cat(vec![wave, heard.reconstruction().detach()], 0);
        let judged = match judging {
            Judging::Learning => self.set.forward(both),
            Judging::Only => self.set.clone().no_grad().forward(both),
        };
        let recording = examples(&judged, 0, batch);
        let discriminator = discriminator_hinge(&recording, &examples(&judged, batch, 2 * batch));
        if judging == Judging::Learning {
            let gradients = (discriminator.clone() / batches as f32).backward();
            let gradients = GradientsParams::from_grads(gradients, &self.set);
            self.gradients.accumulate(&self.set, gradients);
        }
        let set = self.set.clone().no_grad();
        let (reconstruction, matched) = match heard {
            Heard::Together(wave) => {
                let judged = set.forward(wave.clone());
                (judged.clone(), judged)
            }
            Heard::Apart(Leaves { verdict, features, .. }) => {
                let judged = set.forward(Tensor::cat(vec![verdict.clone(), features.clone()], 0));
                (examples(&judged, 0, batch), examples(&judged, batch, 2 * batch))
            }
        };
        Verdict {
            recording: recording.iter().map(DiscriminatorOutput::detached).collect(),
            reconstruction,
            matched,
            discriminator: discriminator.detach(),
        }
    }

    /// Moves the discriminators by the gradients that wait.
    pub(crate) fn step(&mut self, rate: f64) {
        let gradients = self.gradients.grads();
        self.set = self.optimizer.step(rate, self.set.clone(), gradients);
    }

    pub(crate) fn module(&self) -> &DiscriminatorSet {
        &self.set
    }

    pub(crate) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        save_module(&self.set, &folder.join("discriminators.bpk"))?;
        save_optimizer(&self.optimizer, &folder.join("discriminators-optimizer.bpk"))?;
        save_state(&self.balancer, &folder.join("balancer.json"))
    }

    /// Reads what [`save`](Self::save) wrote; the optimiser must be a fresh one.
    pub(crate) fn restore(
        &mut self,
        folder: &Path,
        optimizer: ModuleOptimizer,
    ) -> Result<(), TrainError> {
        self.set = load_module(self.set.clone(), &folder.join("discriminators.bpk"))?;
        let path = folder.join("discriminators-optimizer.bpk");
        self.optimizer = load_optimizer(optimizer, &path)?;
        self.balancer = load_state(&folder.join("balancer.json"))?;
        self.gradients = GradientsAccumulator::new();
        Ok(())
    }
}

/// Some examples of a batch, as every scale judges them.
fn examples(judged: &[DiscriminatorOutput], first: usize, end: usize) -> Vec<DiscriminatorOutput> {
    judged.iter().map(|it| it.examples(first, end)).collect()
}
