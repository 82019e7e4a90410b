//! One codebook of DAC.

use audiolm_nn::{WeightReader, kmeans};
use burn::prelude::*;

use super::config::DacConfig;
use super::layers::EvenConv;

/// Keeps the direction of silence finite.
const LEAST_LENGTH: f64 = 1e-12;

/// A codebook searched by direction in few dimensions, which frames are projected to and codes
/// from (arXiv 2306.06546, section 3.2).
#[derive(Debug, Clone)]
pub(super) struct FactorisedCodebook {
    pub(super) project_in: EvenConv,
    project_out: EvenConv,
    /// `[codebook_size, codebook_dim]`
    table: Tensor<2>,
    /// The same at length one.
    directions: Tensor<2>,
}

impl FactorisedCodebook {
    pub(super) fn read(weights: &mut WeightReader, index: usize, config: &DacConfig) -> Self {
        let name = format!("quantizer.quantizers.{index}");
        let (wide, narrow) = (config.hidden_size(), config.codebook_dim);
        let table =
            weights.take(&format!("{name}.codebook.weight"), [config.codebook_size, narrow]);
        let mut conv =
            |part: &str, kernels| EvenConv::read(weights, &format!("{name}.{part}"), kernels);
        Self {
            project_in: conv("in_proj", [narrow, wide, 1]),
            project_out: conv("out_proj", [wide, narrow, 1]),
            directions: directions(table.clone()),
            table,
        }
    }

    /// # Shapes
    /// - frames: `[batch, dimension, time]`
    /// - output: `[batch, 1, time]`
    pub(super) fn assign(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        let [batch, _, time] = frames.dims();
        let vectors = self.project_in.forward(frames).swap_dims(1, 2).flatten(0, 1);
        let codes = kmeans::assign(directions(vectors), &self.directions);
        codes.reshape([batch, 1, time])
    }

    /// What the codes stand for, with the lengths that the search ignores.
    ///
    /// # Shapes
    /// - codes: `[batch, 1, time]`
    /// - output: `[batch, dimension, time]`
    pub(super) fn lookup(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        let [batch, _, time] = codes.dims();
        let vectors = self.table.clone().select(0, codes.flatten(0, 2));
        let [_, narrow] = vectors.dims();
        self.project_out.forward(vectors.reshape([batch, time, narrow]).swap_dims(1, 2))
    }
}

/// Rows at length one.
fn directions(rows: Tensor<2>) -> Tensor<2> {
    let lengths = rows.clone().square().sum_dim(1).sqrt().clamp_min(LEAST_LENGTH);
    rows / lengths
}
