//! The directions in which vectors vary most.

use audiolm_nn::Generator;
use burn::prelude::*;
use rand::RngExt;

/// Rounds of the iteration; each shrinks what does not belong by the ratio of the variances.
const ROUNDS: usize = 30;
/// Keeps a direction without variance finite.
const SMALLEST: f32 = 1e-12;

/// Vectors as their distances from the mean along principal directions.
#[derive(Debug)]
pub(crate) struct Principal {
    /// `[1, dimension]`
    pub mean: Tensor<2>,
    /// Orthogonal columns of length one, `[dimension, n_directions]`.
    pub directions: Tensor<2>,
}

impl Principal {
    /// The principal directions of `vectors` `[n, dimension]`, by orthogonal iteration (Golub and
    /// Van Loan, Matrix Computations, section 7.3.2) of their covariance. There are no more than
    /// dimensions: further columns are zero.
    pub(crate) fn of(vectors: Tensor<2>, n_directions: usize, rng: &mut Generator) -> Self {
        let [n, dimension] = vectors.dims();
        let mean = vectors.clone().mean_dim(0);
        let centred = vectors - mean.clone();
        let covariance = centred.clone().transpose().matmul(centred) / n as f32;
        let start: Vec<f32> =
            (0..dimension * n_directions).map(|_| rng.random::<f32>() - 0.5).collect();
        let start = TensorData::new(start, [dimension, n_directions]);
        let start = orthogonal(Tensor::from_data(start, &mean.device()));
        let directions = (0..ROUNDS)
            .fold(start, |directions, _| orthogonal(covariance.clone().matmul(directions)));
        Self { mean, directions }
    }

    /// # Shapes
    /// - vectors: `[n, dimension]`
    /// - output: `[n, n_directions]`
    pub(crate) fn coordinates(&self, vectors: Tensor<2>) -> Tensor<2> {
        (vectors - self.mean.clone()).matmul(self.directions.clone())
    }
}

/// The columns, each without what the ones before it span, at length one: Gram and Schmidt's
/// method, twice over so that rounding does no harm.
fn orthogonal(columns: Tensor<2>) -> Tensor<2> {
    let mut done: Option<Tensor<2>> = None;
    for column in columns.split(1, 1) {
        let mut column = unit(column);
        for _ in 0..2 {
            if let Some(done) = &done {
                let shares = done.clone().transpose().matmul(column.clone());
                column = column - done.clone().matmul(shares);
            }
        }
        let column = unit_or_zero(column);
        done = Some(match done {
            None => column,
            Some(done) => Tensor::cat(vec![done, column], 1),
        });
    }
    done.expect("at least one column")
}

fn unit(column: Tensor<2>) -> Tensor<2> {
    let length = column.clone().square().sum().sqrt().clamp_min(SMALLEST);
    column / length.unsqueeze_dim::<2>(1)
}

/// What is left of a unit vector at length one, or nothing where that is mere rounding.
fn unit_or_zero(column: Tensor<2>) -> Tensor<2> {
    let length = column.clone().square().sum().sqrt();
    let holds = length.greater_elem(1e-5).float().unsqueeze_dim::<2>(1);
    unit(column) * holds
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn the_longest_axes_are_found_in_order() {
        let device = Device::default();
        device.seed(1);
        let noise = Tensor::<2>::random([2000, 3], Distribution::Normal(0.0, 1.0), &device);
        let vectors = noise * Tensor::<2>::from_floats([[0.1, 3.0, 1.0]], &device) + 5.0;
        let found = Principal::of(vectors, 2, &mut generator(0, "principal", 0));
        let expected = Tensor::<2>::from_floats([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], &device);
        let tolerance = Tolerance::<f32>::absolute(0.05);
        found.directions.abs().into_data().assert_approx_eq(&expected.into_data(), tolerance);
    }

    #[test]
    fn columns_beyond_the_dimensions_are_zero() {
        let device = Device::default();
        device.seed(1);
        let vectors = Tensor::<2>::random([50, 2], Distribution::Normal(0.0, 1.0), &device);
        let found = Principal::of(vectors, 4, &mut generator(0, "principal", 0)).directions;
        let products = found.clone().transpose().matmul(found);
        let expected = Tensor::<2>::from_floats(
            [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0; 4], [0.0; 4]],
            &device,
        );
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        products.into_data().assert_approx_eq(&expected.into_data(), tolerance);
    }
}
