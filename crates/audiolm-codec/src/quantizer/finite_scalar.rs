//! A few rounded numbers in place of a codebook.

use audiolm_nn::Generator;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use crate::quantizer::chain::{self, LearntLink, Link, LinkOutput};
use crate::quantizer::principal::Principal;
use crate::quantizer::projection::{self, Scaling};
use crate::{FiniteScalarQuantizerConfig, QuantizedOutput};

/// Fewest values that a dimension can be rounded to: the paper's bound has no room for two.
pub(crate) const FEWEST_LEVELS: usize = 3;
/// What the bound keeps below the outermost values, so that rounding reaches none beyond.
const MARGIN: f32 = 1e-3;
/// Spreads a Gaussian variable of variance one over the range of a hyperbolic tangent about evenly:
/// `(1 + tanh(0.8 x)) / 2` is near its distribution function.
const EVEN_SPREAD: f32 = 0.8;
/// Keeps a coordinate without variance finite.
const EPSILON: f32 = 1e-9;

/// Finite scalar quantisation (Mentzer et al. 2023, arXiv 2309.15505), residually: each quantizer
/// projects what the ones before it left over to a few numbers, bounds and rounds each of them, and
/// projects them back.
///
/// There is no codebook that could go unused, and no loss but the reconstruction. With one
/// quantizer it is the paper's; that each of several has projections of its own, as factorised
/// codes have, is not in it: the numbers of a frame would otherwise be no more than those of one.
#[derive(Module, Debug)]
pub struct FiniteScalarQuantizer {
    quantizers: Vec<FiniteScalars>,
}

/// One quantizer's numbers between its projections.
#[derive(Module, Debug)]
struct FiniteScalars {
    in_projection: Linear,
    out_projection: Linear,
    #[module(skip)]
    grid: Grid,
}

/// The values that numbers are rounded to: so many for each dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grid {
    levels: Vec<usize>,
}

impl FiniteScalarQuantizer {
    pub(crate) fn new(
        config: &FiniteScalarQuantizerConfig,
        dimension: usize,
        device: &Device,
    ) -> Self {
        let quantizer = |_| FiniteScalars::new(&config.levels, dimension, device);
        Self { quantizers: (0..config.n_quantizers).map(quantizer).collect() }
    }

    /// Projections onto the directions in which `vectors` `[n, dimension]` vary most, spread over
    /// the values of each dimension: the paper starts from random ones. `on_quantizer` is called
    /// after each with the number of those that are done.
    pub fn fitted(
        self,
        vectors: Tensor<2>,
        rng: &mut Generator,
        on_quantizer: impl FnMut(usize),
    ) -> Self {
        let fit = |it: FiniteScalars, residual| it.fitted(residual, rng);
        Self { quantizers: chain::fitted(self.quantizers, vectors, fit, on_quantizer) }
    }

    pub(crate) fn n_quantizers(&self) -> usize {
        self.quantizers.len()
    }

    pub(crate) fn codebook_size(&self) -> usize {
        self.quantizers.first().map_or(0, |it| it.grid.levels.iter().product())
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

    /// Quantises with gradients, each example by its own number of leading quantizers; both losses
    /// are zero.
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

impl FiniteScalars {
    fn new(levels: &[usize], dimension: usize, device: &Device) -> Self {
        Self {
            in_projection: LinearConfig::new(dimension, levels.len()).init(device),
            out_projection: LinearConfig::new(levels.len(), dimension).init(device),
            grid: Grid { levels: levels.to_vec() },
        }
    }

    fn fitted(self, vectors: Tensor<2>, rng: &mut Generator) -> Self {
        let principal = Principal::of(vectors.clone(), self.grid.levels.len(), rng);
        let points = principal.coordinates(vectors.clone());
        let device = points.device();
        let deviations = points.clone().square().mean_dim(0).sqrt() + EPSILON;
        let evenly = Scaling {
            scales: deviations.recip() * EVEN_SPREAD,
            offsets: self.grid.row(shift, &device).neg(),
        };
        let in_projection = projection::onto(self.in_projection, &principal, &evenly);
        let values = self.grid.scaled(self.grid.rounded(in_projection.forward(vectors)));
        let out_projection =
            projection::back(self.out_projection, &principal, &regression(values, points));
        Self { in_projection, out_projection, grid: self.grid }
    }
}

impl Link for FiniteScalars {
    fn encode(&self, vectors: Tensor<2>) -> Tensor<1, Int> {
        self.grid.codes(self.grid.rounded(self.in_projection.forward(vectors)))
    }

    fn decode(&self, codes: Tensor<1, Int>) -> Tensor<2> {
        let device = self.out_projection.weight.device();
        self.out_projection.forward(self.grid.scaled(self.grid.steps(codes, &device)))
    }
}

impl LearntLink for FiniteScalars {
    fn forward(&self, vectors: Tensor<2>) -> LinkOutput {
        let bounded = self.grid.bounded(self.in_projection.forward(vectors));
        let rounded = bounded.clone().detach().round();
        let codes = self.grid.codes(rounded.clone());
        let straight_through = bounded.clone() + (rounded - bounded).detach();
        let vectors = self.out_projection.forward(self.grid.scaled(straight_through));
        let nothing = Tensor::zeros([vectors.dims()[0], 1], &vectors.device());
        LinkOutput { vectors, codes, commitment: nothing.clone(), codebook: nothing }
    }
}

/// What brings `values` `[n, d]` nearest to their `targets`, whose mean is zero.
fn regression(values: Tensor<2>, targets: Tensor<2>) -> Scaling {
    let mean = values.clone().mean_dim(0);
    let centred = values - mean.clone();
    let covariance = (centred.clone() * targets).mean_dim(0);
    let scales = covariance / (centred.square().mean_dim(0) + EPSILON);
    Scaling { offsets: mean.neg() * scales.clone(), scales }
}

/// Half the range of so many levels.
fn half(levels: usize) -> f32 {
    (levels - 1) as f32 * (1.0 - MARGIN) / 2.0
}

/// How far an even number of levels lies below the middle.
fn offset(levels: usize) -> f32 {
    if levels.is_multiple_of(2) { 0.5 } else { 0.0 }
}

/// What takes zero to zero for all that.
fn shift(levels: usize) -> f32 {
    (offset(levels) / half(levels)).atanh()
}

/// Numbers in steps of the grid: whole ones from `-floor(levels / 2)`, so many as there are levels.
impl Grid {
    /// Any numbers `[n, d]` within the grid, not rounded yet (the paper's appendix A.1).
    fn bounded(&self, numbers: Tensor<2>) -> Tensor<2> {
        let device = numbers.device();
        let shifted = numbers + self.row(shift, &device);
        shifted.tanh() * self.row(half, &device) - self.row(offset, &device)
    }

    fn rounded(&self, numbers: Tensor<2>) -> Tensor<2> {
        self.bounded(numbers.detach()).round()
    }

    /// Steps `[n, d]` as values from -1 to 1.
    fn scaled(&self, steps: Tensor<2>) -> Tensor<2> {
        let device = steps.device();
        steps / self.row(|it| (it / 2) as f32, &device)
    }

    /// The codes of whole steps `[n, d]`: `[n]`, the first dimension counting fastest.
    fn codes(&self, steps: Tensor<2>) -> Tensor<1, Int> {
        let device = steps.device();
        let from_zero = steps + self.row(|it| (it / 2) as f32, &device);
        let mut place = 1;
        let places = self.row(
            |it| {
                place *= it;
                (place / it) as f32
            },
            &device,
        );
        (from_zero * places).sum_dim(1).squeeze_dim::<1>(1).int()
    }

    /// The whole steps `[n, d]` of codes `[n]`.
    fn steps(&self, codes: Tensor<1, Int>, device: &Device) -> Tensor<2> {
        let mut left = codes;
        let columns = self.levels.iter().map(|&levels| {
            let digit = left.clone().remainder_scalar(levels as i64);
            left = (left.clone() - digit.clone()).div_scalar(levels as i64);
            digit.float().unsqueeze_dim::<2>(1) - (levels / 2) as f32
        });
        Tensor::cat(columns.collect(), 1).to_device(device)
    }

    /// A number for each dimension: `[1, d]`.
    fn row(&self, number: impl FnMut(usize) -> f32, device: &Device) -> Tensor<2> {
        let numbers: Vec<f32> = self.levels.iter().copied().map(number).collect();
        let n = numbers.len();
        Tensor::from_data(TensorData::new(numbers, [1, n]), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(levels: &[usize]) -> Grid {
        Grid { levels: levels.to_vec() }
    }

    /// Values and code of one row of numbers.
    fn quantized(levels: &[usize], numbers: &[f32]) -> (Vec<f32>, i64) {
        let data = TensorData::new(numbers.to_vec(), [1, numbers.len()]);
        let steps = grid(levels).rounded(Tensor::from_data(data, &Device::default()));
        let values = grid(levels).scaled(steps.clone()).into_data().try_to_vec().unwrap();
        (values, grid(levels).codes(steps).into_data().iter::<i64>().next().unwrap())
    }

    #[test]
    fn numbers_are_bounded_and_rounded_as_in_the_paper() {
        // tanh(0.25) rounds to 0 of -1 to 1, 2 tanh(0.6) to 1 of -2 to 2, the last to -2 of -2 to 1.
        assert_eq!(quantized(&[3, 5, 4], &[0.25, 0.6, -7.0]), (vec![0.0, 0.5, -1.0], 1 + 3 * 3));
    }

    #[test]
    fn zero_is_a_value_of_every_dimension() {
        assert_eq!(quantized(&[3, 4, 8], &[0.0; 3]).0, [0.0; 3]);
    }

    #[test]
    fn the_gradient_is_that_of_the_bound_without_rounding() {
        use burn::tensor::{Distribution, Tolerance};
        let device = Device::default().autodiff();
        device.seed(2);
        let link = FiniteScalars::new(&[5, 4, 3], 8, &device);
        let input = Tensor::random([5, 8], Distribution::Normal(0.0, 1.0), &device).require_grad();
        let gradient = |of: Tensor<2>| input.grad(&of.sum().backward()).unwrap().into_data();
        let found = gradient(link.forward(input.clone()).vectors);
        let bounded = link.grid.bounded(link.in_projection.forward(input.clone()));
        let expected = gradient(link.out_projection.forward(link.grid.scaled(bounded)));
        found.assert_approx_eq(&expected, Tolerance::<f32>::absolute(1e-6));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_code_has_steps_of_its_own(levels in prop::collection::vec(3_usize..9, 1..5)) {
            let size: usize = levels.iter().product();
            let device = Device::default();
            let codes = Tensor::<1, Int>::arange(0..size as i64, &device);
            let steps = grid(&levels).steps(codes.clone(), &device);
            prop_assert_eq!(grid(&levels).codes(steps).into_data(), codes.into_data());
        }

        #[test]
        fn no_number_leaves_the_grid(
            levels in prop::collection::vec(3_usize..9, 1..5),
            number in -1e6_f32..1e6,
        ) {
            let size: usize = levels.iter().product();
            let (values, code) = quantized(&levels, &vec![number; levels.len()]);
            prop_assert!(values.iter().all(|it| it.abs() <= 1.0));
            prop_assert!((0..size as i64).contains(&code));
        }
    }
}
