//! Small codebooks of directions, learnt by gradients, between two projections.

use audiolm_nn::{Generator, kmeans};
use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::{Distribution, IndexingUpdateOp};

use crate::quantizer::chain::{self, LearntLink, Link, LinkOutput};
use crate::quantizer::principal::Principal;
use crate::quantizer::projection::{self, Scaling, replaced};
use crate::quantizer::residual::KMEANS_ITERATIONS;
use crate::{FactorizedQuantizerConfig, QuantizedOutput};

/// Keeps a vector without length from being divided by it.
const SHORTEST: f32 = 1e-12;

/// Factorised, L2-normalised codes of the Descript audio codec (Kumar et al. 2023, arXiv
/// 2306.06546, section 3.2; after Yu et al. 2022, arXiv 2110.04627).
///
/// Each quantizer projects what is left over to a few dimensions, takes the entry of the most
/// similar direction, and projects it back. Everything learns by gradients. The paper adds the
/// codebook loss with weight 1 and the commitment with 0.25.
#[derive(Module, Debug)]
pub struct FactorizedQuantizer {
    quantizers: Vec<FactorizedCodebook>,
}

/// One codebook between its projections.
#[derive(Module, Debug)]
struct FactorizedCodebook {
    in_projection: Linear,
    /// `[codebook_size, codebook_dimension]`
    codebook: Param<Tensor<2>>,
    out_projection: Linear,
}

impl FactorizedQuantizer {
    pub(crate) fn new(
        config: &FactorizedQuantizerConfig,
        dimension: usize,
        device: &Device,
    ) -> Self {
        let quantizer = |_| FactorizedCodebook::new(config, dimension, device);
        Self { quantizers: (0..config.n_quantizers).map(quantizer).collect() }
    }

    /// Projections onto the directions in which `vectors` `[n, dimension]` vary most, and entries
    /// by k-means of directions there: the paper starts from random ones. `on_codebook` is called
    /// after each with the number of those that are done.
    ///
    /// # Panics
    /// Where there are fewer vectors than entries of a codebook.
    pub fn fitted(
        self,
        vectors: Tensor<2>,
        rng: &mut Generator,
        on_codebook: impl FnMut(usize),
    ) -> Self {
        let fit = |it: FactorizedCodebook, residual| it.fitted(residual, rng);
        Self { quantizers: chain::fitted(self.quantizers, vectors, fit, on_codebook) }
    }

    pub(crate) fn n_quantizers(&self) -> usize {
        self.quantizers.len()
    }

    pub(crate) fn codebook_size(&self) -> usize {
        self.quantizers.first().map_or(0, |it| it.codebook.dims()[0])
    }

    /// # Shapes
    /// - frames: `[batch, time, dimension]`
    /// - output: `[batch, quantizer, time]`
    pub fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        chain::encode(&self.quantizers, frames)
    }

    /// The sum of what codes of any number of leading quantizers stand for.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at most the number of quantizers
    /// - output: `[batch, time, dimension]`
    ///
    /// # Panics
    /// Where there are no codes, or more rows of them than quantizers.
    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        chain::decode(&self.quantizers, codes)
    }

    /// Quantises with gradients, each example by its own number of leading quantizers; the losses
    /// are sums over quantizers of mean squared distances in the few dimensions.
    ///
    /// # Shapes
    /// - input: `[batch, time, dimension]`
    /// - active: one number for each example
    ///
    /// # Panics
    /// Where `active` has another length than the batch.
    pub fn forward(&self, input: Tensor<3>, active: &[usize]) -> QuantizedOutput {
        chain::forward(&self.quantizers, input, active)
    }
}

impl FactorizedCodebook {
    fn new(config: &FactorizedQuantizerConfig, dimension: usize, device: &Device) -> Self {
        let FactorizedQuantizerConfig { codebook_size, codebook_dimension, .. } = *config;
        let entries = [codebook_size, codebook_dimension];
        let entries = Tensor::random(entries, Distribution::Normal(0.0, 1.0), device);
        Self {
            in_projection: LinearConfig::new(dimension, codebook_dimension).init(device),
            codebook: Param::from_tensor(entries),
            out_projection: LinearConfig::new(codebook_dimension, dimension).init(device),
        }
    }

    fn fitted(self, vectors: Tensor<2>, rng: &mut Generator) -> Self {
        let [size, codebook_dimension] = self.codebook.dims();
        let principal = Principal::of(vectors.clone(), codebook_dimension, rng);
        let points = principal.coordinates(vectors);
        let directions = kmeans::fit(unit(points.clone()), size, KMEANS_ITERATIONS, rng);
        let codes = kmeans::assign(unit(points.clone()), &unit(directions.clone()));
        let entries = means(points, codes, directions);
        let unscaled = Scaling::none(codebook_dimension, &entries.device());
        Self {
            in_projection: projection::onto(self.in_projection, &principal, &unscaled),
            codebook: replaced(self.codebook, entries),
            out_projection: projection::back(self.out_projection, &principal, &unscaled),
        }
    }

    /// The codes of vectors in the few dimensions: `[n]`.
    fn nearest(&self, projected: Tensor<2>) -> Tensor<1, Int> {
        kmeans::assign(unit(projected.detach()), &unit(self.codebook.val().detach()))
    }
}

impl Link for FactorizedCodebook {
    fn encode(&self, vectors: Tensor<2>) -> Tensor<1, Int> {
        self.nearest(self.in_projection.forward(vectors))
    }

    fn decode(&self, codes: Tensor<1, Int>) -> Tensor<2> {
        self.out_projection.forward(self.codebook.val().select(0, codes))
    }
}

impl LearntLink for FactorizedCodebook {
    fn forward(&self, vectors: Tensor<2>) -> LinkOutput {
        let projected = self.in_projection.forward(vectors);
        let codes = self.nearest(projected.clone());
        let entries = self.codebook.val().select(0, codes.clone());
        let distance = |one: &Tensor<2>, other: &Tensor<2>| {
            (one.clone() - other.clone().detach()).square().mean_dim(1)
        };
        let commitment = distance(&projected, &entries);
        let codebook = distance(&entries, &projected);
        let straight_through = projected.clone() + (entries - projected).detach();
        let vectors = self.out_projection.forward(straight_through);
        LinkOutput { vectors, codes, commitment, codebook }
    }
}

/// Rows at length one.
fn unit(rows: Tensor<2>) -> Tensor<2> {
    let lengths = rows.clone().square().sum_dim(1).sqrt().clamp_min(SHORTEST);
    rows / lengths
}

/// The mean of the `points` of each code, or its row of `otherwise` where it has none.
fn means(points: Tensor<2>, codes: Tensor<1, Int>, otherwise: Tensor<2>) -> Tensor<2> {
    let [size, dimension] = otherwise.dims();
    let [n, _] = points.dims();
    let (device, add) = (points.device(), IndexingUpdateOp::Add);
    let sums = Tensor::zeros([size, dimension], &device);
    let sums = sums.select_assign(0, codes.clone(), points, add);
    let ones = Tensor::<2>::ones([n, 1], &device);
    let counts = Tensor::<2>::zeros([size, 1], &device).select_assign(0, codes, ones, add);
    let empty = counts.clone().equal_elem(0.0).expand([size, dimension]);
    (sums / counts.clamp_min(1.0)).mask_where(empty, otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Tolerance;

    #[test]
    fn the_gradient_is_that_of_the_projections_alone() {
        let device = Device::default().autodiff();
        device.seed(2);
        let config = FactorizedQuantizerConfig::new(1, 16, 3);
        let link = FactorizedCodebook::new(&config, 8, &device);
        let input = Tensor::random([5, 8], Distribution::Normal(0.0, 1.0), &device).require_grad();
        let gradient = |of: Tensor<2>| input.grad(&of.sum().backward()).unwrap().into_data();
        let found = gradient(link.forward(input.clone()).vectors);
        let projected = link.in_projection.forward(input.clone());
        let expected = gradient(link.out_projection.forward(projected));
        found.assert_approx_eq(&expected, Tolerance::<f32>::absolute(1e-6));
    }

    #[test]
    fn only_the_direction_of_an_entry_counts_in_the_search() {
        let device = Device::default();
        let config = FactorizedQuantizerConfig::new(1, 2, 2);
        let mut link = FactorizedCodebook::new(&config, 2, &device);
        let entries = Tensor::from_floats([[9.0, 0.5], [0.1, 0.1]], &device);
        link.codebook = replaced(link.codebook, entries);
        let vectors = Tensor::<2>::from_floats([[0.2, 0.0], [20.0, 19.0]], &device);
        let codes = link.nearest(vectors).into_data().convert::<i64>();
        assert_eq!(codes.try_to_vec::<i64>().unwrap(), [0, 1]);
    }
}
