//! What a key's distance adds to its score, within a window.

use burn::module::{Initializer, Param};
use burn::prelude::*;

/// One learnt number for each head and distance; nothing beyond the window is seen, nor the future.
///
/// Only distances count: a stream of any length has no position that rounding could blur.
#[derive(Module, Debug)]
pub struct WindowBias {
    /// `[heads, window]`, from distance 0 on.
    table: Param<Tensor<2>>,
}

impl WindowBias {
    pub(crate) fn new(n_heads: usize, window: usize, device: &Device) -> Self {
        Self { table: Initializer::Zeros.init([n_heads, window], device) }
    }

    /// Frames that a query sees, its own included.
    pub(crate) fn window(&self) -> usize {
        self.table.dims()[1]
    }

    /// The biases of `queries` that end the last of `keys`.
    ///
    /// The bias depends on distance alone, so this one tensor also holds that of every shorter
    /// block: [`BlockBias::of`] only takes slices.
    pub(crate) fn block(&self, queries: usize, keys: usize) -> BlockBias {
        let window = self.window() as i64;
        let distance =
            |row: usize, column: usize| (keys - 1 - column) as i64 - (queries - 1 - row) as i64;
        let pairs = (0..queries).flat_map(|row| (0..keys).map(move |column| (row, column)));
        let distances: Vec<i64> = pairs.map(|(row, column)| distance(row, column)).collect();
        let places: Vec<i64> = distances.iter().map(|it| (*it).clamp(0, window - 1)).collect();
        let hidden: Vec<f32> = distances
            .iter()
            .map(|it| if (0..window).contains(it) { 0.0 } else { f32::NEG_INFINITY })
            .collect();

        let table = self.table.val();
        let device = table.device();
        let [n_heads, _] = table.dims();
        let places = Tensor::<1, Int>::from_data(places.as_slice(), &device);
        let learnt = table.select(1, places).reshape([1, n_heads, queries, keys]);
        let hidden =
            Tensor::<4>::from_data(TensorData::new(hidden, [1, 1, queries, keys]), &device);
        BlockBias(learnt + hidden)
    }
}

/// Biases ready to be added to scores: `[1, heads, queries, keys]`.
#[derive(Debug, Clone)]
pub(crate) struct BlockBias(Tensor<4>);

impl BlockBias {
    /// That of the last `queries` and the last `keys`.
    pub(crate) fn of(&self, queries: usize, keys: usize) -> Tensor<4> {
        let [_, _, all_queries, all_keys] = self.0.dims();
        let rows = self.0.clone().slice_dim(2, all_queries - queries..all_queries);
        rows.slice_dim(3, all_keys - keys..all_keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_seen(queries: usize, keys: usize, expected: &[&[usize]]) {
        let bias = WindowBias::new(1, 3, &Device::default()).block(queries, keys);
        let values = bias.of(queries, keys).try_into_vec_as::<f32>().unwrap();
        let seen = |row: &[f32]| (0..keys).filter(|it| row[*it] == 0.0).collect::<Vec<_>>();
        let found: Vec<_> = values.chunks(keys).map(seen).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_query_sees_its_window_and_no_more() {
        check_seen(3, 3, &[&[0], &[0, 1], &[0, 1, 2]]);
        check_seen(1, 3, &[&[0, 1, 2]]);
        check_seen(2, 4, &[&[0, 1, 2], &[1, 2, 3]]);
        check_seen(4, 5, &[&[0, 1], &[0, 1, 2], &[1, 2, 3], &[2, 3, 4]]);
    }
}
