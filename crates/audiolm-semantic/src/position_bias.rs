//! What WavLM's attention knows of distances.

use burn::module::Param;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;

/// Numbers that the gate's linear map gives for each of its two parts; their sum counts.
const SUMMANDS: usize = 4;

/// One number for each head and each kind of distance, shared by all layers (WavLM, Chen et al.
/// 2021, arXiv 2110.13900, section III-A; buckets as in T5).
///
/// The nearer half of each side's distances are told apart one by one, the others by their
/// logarithm, and from `max_distance` on not at all.
#[derive(Module, Debug)]
pub struct DistanceBias {
    /// `[n_buckets, n_heads]`
    pub(crate) table: Param<Tensor<2>>,
    max_distance: usize,
}

/// How much a layer heeds the bias: a number for each head and query.
///
/// With `a` and `b` between 0 and 1, made from the head's slice of what enters the layer, it is
/// `a (b c - 1) + 2`, `c` being learnt (equation 3).
#[derive(Module, Debug)]
pub struct PositionGate {
    /// `[d_head, 8]`
    pub(crate) linear: Linear,
    /// `c`: `[n_heads]`
    pub(crate) constant: Param<Tensor<1>>,
}

impl DistanceBias {
    pub(crate) fn new(
        [n_buckets, n_heads]: [usize; 2],
        max_distance: usize,
        device: &Device,
    ) -> Self {
        let normal = Initializer::Normal { mean: 0.0, std: 0.02 };
        Self { table: normal.init([n_buckets, n_heads], device), max_distance }
    }

    /// The bias of each key for each query, before the gate: `[heads, time, time]`.
    pub(crate) fn forward(&self, time: usize) -> Tensor<3> {
        let [_, n_heads] = self.table.dims();
        // The bias depends on the distance alone, of which there are few.
        let distances = (1 - time as i64..time as i64).map(|it| self.bucket(it));
        let of_distances = self.look_up(distances.collect());
        let mut keys = Vec::with_capacity(time * time);
        for query in 0..time {
            keys.extend((0..time).map(|key| (key + time - 1 - query) as i64));
        }
        let keys = TensorData::new(keys, [time * time]);
        let keys = Tensor::<1, Int>::from_data(keys, &of_distances.device());
        of_distances.select(1, keys).reshape([n_heads, time, time])
    }

    /// The rows of the table: `[heads, n]`.
    fn look_up(&self, buckets: Vec<i64>) -> Tensor<2> {
        let table = self.table.val();
        let n = buckets.len();
        let buckets = Tensor::<1, Int>::from_data(TensorData::new(buckets, [n]), &table.device());
        table.select(0, buckets).transpose()
    }

    /// The kind of a distance, positive where the key comes after the query.
    fn bucket(&self, distance: i64) -> i64 {
        let per_side = self.table.dims()[0] as i64 / 2;
        let side = if distance > 0 { per_side } else { 0 };
        side + self.bucket_of_side(distance.abs(), per_side)
    }

    fn bucket_of_side(&self, distance: i64, per_side: i64) -> i64 {
        let exact = per_side / 2;
        if distance < exact {
            return distance;
        }
        // In 32 bits, as where the published weights were trained.
        let beyond = (distance as f32 / exact as f32).ln();
        let whole = (self.max_distance as f64 / exact as f64).ln() as f32;
        let bucket = exact as f32 + beyond / whole * (per_side - exact) as f32;
        (bucket as i64).min(per_side - 1)
    }
}

impl PositionGate {
    pub(crate) fn new([n_heads, d_head]: [usize; 2], device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(d_head, 2 * SUMMANDS).init(device),
            constant: Initializer::Ones.init([n_heads], device),
        }
    }

    /// # Shapes
    /// - input: `[batch, heads, time, d_head]`
    /// - output: `[batch, heads, time, 1]`
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [batch, heads, time, _] = input.dims();
        let parts = self.linear.forward(input).reshape([batch, heads, time, 2, SUMMANDS]);
        let parts = sigmoid(parts.sum_dim(4)).reshape([batch, heads, time, 2]);
        let constant = self.constant.val().reshape([1, heads, 1, 1]);
        let (a, b) = (parts.clone().narrow(3, 0, 1), parts.narrow(3, 1, 1));
        a * (b * constant - 1.0) + 2.0
    }
}
