//! A model that learns, and what its optimizer remembers.

use std::path::Path;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};

use crate::TrainError;
use crate::checkpoint::{load_module, load_optimizer, save_module, save_optimizer};

/// A model that learns, and what its optimizer remembers.
pub(crate) struct Learner<M> {
    /// The model.
    pub(crate) model: M,
    optimizer: ModuleOptimizer,
    /// The model's file in a checkpoint.
    file: &'static str,
}

impl<M: Module> Learner<M> {
    /// One that has learnt nothing yet, and will as fairseq pretrains encoders.
    pub(crate) fn new(model: M, file: &'static str) -> Self {
        let optimizer = AdamWConfig::new()
            .with_beta_2(0.98)
            .with_weight_decay(0.01)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
            .init();
        Self { model, optimizer, file }
    }

    /// Takes a step down these gradients.
    pub(crate) fn descend(&mut self, gradients: GradientsParams, learning_rate: f64) {
        self.model = self.optimizer.step(learning_rate, self.model.clone(), gradients);
    }

    /// Writes both to a checkpoint.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        save_module(&self.model, &folder.join(self.file))?;
        save_optimizer(&self.optimizer, &folder.join("optimizer.bpk"))
    }

    /// Reads what [`save`](Self::save) wrote.
    pub(crate) fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.model = load_module(self.model.clone(), &folder.join(self.file))?;
        let empty = self.optimizer.clone();
        self.optimizer = load_optimizer(empty, &folder.join("optimizer.bpk"))?;
        Ok(())
    }
}
