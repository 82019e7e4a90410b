//! What a frame's output is compared with.

use burn::module::Param;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::prelude::*;

use crate::HubertPretrainingConfig;

/// Keeps a vector of zeros from being divided by its length.
const SMALLEST_SQUARE: f64 = 1e-12;

/// HuBERT's classifier (Hsu et al. 2021, arXiv 2106.07447): the logit of a cluster is the cosine between
/// the projected output and the cluster's embedding, divided by a temperature.
#[derive(Module, Debug)]
pub struct PredictionHead {
    projection: Linear,
    /// `[n_clusters, d_projection]`
    clusters: Param<Tensor<2>>,
    temperature: f64,
}

impl PredictionHead {
    pub(crate) fn new(config: &HubertPretrainingConfig, device: &Device) -> Self {
        let HubertPretrainingConfig { n_clusters, d_projection, temperature, .. } = *config;
        let uniform = Initializer::Uniform { min: 0.0, max: 1.0 };
        Self {
            projection: LinearConfig::new(config.encoder.d_model, d_projection).init(device),
            clusters: uniform.init([n_clusters, d_projection], device),
            temperature,
        }
    }

    /// # Shapes
    /// - output: `[batch, time, d_model]`
    /// - logits: `[batch, time, n_clusters]`
    pub(crate) fn forward(&self, output: Tensor<3>) -> Tensor<3> {
        let projected = of_length_one(self.projection.forward(output));
        let clusters = of_length_one(self.clusters.val()) / self.temperature;
        projected.matmul(clusters.transpose().unsqueeze())
    }
}

/// Vectors along the last axis, divided by their lengths.
pub(crate) fn of_length_one<const D: usize>(vectors: Tensor<D>) -> Tensor<D> {
    let squares = vectors.clone().square().sum_dim(D - 1);
    vectors / squares.clamp_min(SMALLEST_SQUARE).sqrt()
}
