//! T5's relative position bias, causal or bidirectional.
//!
//! Every head has one learnt number per bucket of distances between a query and a key, added to
//! the score. The table is shared by all layers. Nothing depends on an absolute position, so a
//! sequence may be longer than any seen in training.

use std::ops::Range;

use audiolm_nn::{Buckets, Direction};
use burn::module::Param;
use burn::prelude::*;
use burn::tensor::Distribution;

use crate::attention::{BLOCK, Relation, bias_blocks};
use crate::rotary::Angles;

/// The learnt table: one number per bucket and head.
#[derive(Module, Debug)]
pub struct RelativePositionBias {
    /// `[n_buckets, heads]`.
    table: Param<Tensor<2>>,
    max_distance: usize,
}

impl RelativePositionBias {
    /// A table of small random numbers.
    pub(crate) fn init(buckets: &Buckets, n_heads: usize, device: &Device) -> Self {
        let start = Distribution::Normal(0.0, 0.02);
        let table = Param::from_tensor(Tensor::random([buckets.n_buckets, n_heads], start, device));
        Self { table, max_distance: buckets.max_distance }
    }

    /// The bias of distances `longest - 1` down to 0, `[heads, longest]`.
    pub(crate) fn far_to_near(&self, longest: usize) -> Tensor<2> {
        self.of_offsets(Direction::Causal, 1 - longest as i64..1)
    }

    /// The biases of `time` queries towards all of the same `time` keys.
    ///
    /// # Shapes
    /// - output: `[1, heads, time, time]`
    pub(crate) fn bidirectional(&self, time: usize) -> Tensor<4> {
        let n = time as i64;
        let from_here = self.of_offsets(Direction::Bidirectional, 0..n);
        // The first of those before is nobody's: it parts the two halves of the circle.
        let before = self.of_offsets(Direction::Bidirectional, -n..0);
        turned(Tensor::cat(vec![from_here, before], 1), time).slice_dim(3, 0..time)
    }

    /// The biases towards keys that stand so many places after the query, `[heads, offsets]`.
    fn of_offsets(&self, direction: Direction, offsets: Range<i64>) -> Tensor<2> {
        let [n_buckets, _] = self.table.dims();
        let buckets = Buckets { n_buckets, max_distance: self.max_distance, direction };
        let rows: Vec<i32> = offsets.map(|it| buckets.bucket(it) as i32).collect();
        let table = self.table.val();
        let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &table.device());
        table.select(0, rows).transpose()
    }
}

/// Row `i` reads a circle of biases from `i` places earlier: reading rows that are one shorter than
/// the circle shifts each by one.
///
/// # Shapes
/// - circle: `[heads, round]`; output: `[1, heads, rows, round - 1]`
fn turned(circle: Tensor<2>, rows: usize) -> Tensor<4> {
    let [heads, round] = circle.dims();
    circle
        .unsqueeze_dim::<3>(1)
        .expand([heads, rows, round])
        .reshape([heads, rows * round])
        .slice_dim(1, 0..rows * (round - 1))
        .reshape([1, heads, rows, round - 1])
}

/// Biases ready to be added to scores, −∞ for the future: `[1, heads, rows, keys]`, with one head
/// where all have the same.
#[derive(Debug, Clone)]
pub(crate) struct CausalBias(Tensor<4>);

impl CausalBias {
    /// The biases of up to `rows` queries at the end of as many keys as there are distances, given
    /// the bias of each distance from the farthest to 0, `[heads, longest]`.
    ///
    /// The bias depends on distance alone. So this one tensor holds, in its last rows and columns,
    /// the bias of every shorter block: [`CausalBias::block`] only takes slices.
    pub(crate) fn new(far_to_near: Tensor<2>, rows: usize) -> Self {
        let [heads, longest] = far_to_near.dims();
        let rows = rows.min(longest);
        let hidden = Tensor::full([heads, rows], f32::NEG_INFINITY, &far_to_near.device());
        let near = far_to_near.clone().slice_dim(1, rows - 1..longest);
        let far = far_to_near.slice_dim(1, 0..rows - 1);
        let circle = if rows == 1 { vec![near, hidden] } else { vec![near, hidden, far] };
        Self(turned(Tensor::cat(circle, 1), rows).slice_dim(3, 0..longest))
    }

    /// The bias of `rows` queries, the last of which stands at the last of `keys` keys.
    ///
    /// # Shapes
    /// - output: `[1, heads, rows, keys]`
    pub(crate) fn block(&self, rows: usize, keys: usize) -> Tensor<4> {
        let [_, _, all_rows, all_keys] = self.0.dims();
        self.0
            .clone()
            .slice_dim(2, all_rows - rows..all_rows)
            .slice_dim(3, all_keys - keys..all_keys)
    }
}

/// What the layers need of positions, for sequences of up to so many.
#[derive(Debug, Clone)]
pub(crate) struct Positions {
    bias: CausalBias,
    angles: Option<Angles>,
}

impl Positions {
    /// Of up to `longest` positions whose order a learnt bias tells.
    pub(crate) fn biased(bias: &RelativePositionBias, longest: usize) -> Self {
        Self { bias: CausalBias::new(bias.far_to_near(longest), BLOCK), angles: None }
    }

    /// Of up to `longest` positions whose order angles tell.
    pub(crate) fn rotary(longest: usize, d_head: usize, device: &Device) -> Self {
        let bias = CausalBias::new(Tensor::zeros([1, longest], device), BLOCK);
        Self { bias, angles: Some(Angles::new(longest, d_head, device)) }
    }

    /// How `time` positions after the first `past` stand to these and to one another.
    pub(crate) fn relation(&self, past: usize, time: usize) -> Relation {
        Relation {
            bias: bias_blocks(&self.bias, time, past + time),
            angles: self.angles.as_ref().map(|it| it.slice(past, time)),
            clock: None,
            hidden: None,
        }
    }
}
