//! What a few queries see of many keys: the attention of a decoder's step.

use burn::backend::flex::FlexTensor;
use burn::backend::{DType, Shape};
use burn::prelude::TensorData;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::elu::exp;
use crate::rows_product::is_worth_sharing;
use crate::vectors::{AddScaled, Products, Rows, Vectors};

/// `softmax(queries · keys + bias) · values`, every query for itself.
///
/// Some heads of queries in a row share a head of keys and values where those have fewer.
///
/// # Shapes
/// - queries: `[batch, heads, n, features]`
/// - keys: `[batch, heads of keys, features, time]`
/// - values: `[batch, heads of keys, d_head, time]`
/// - bias: `[batch, heads, n, time]`, or 1 in the place of any but the last
/// - output: `[batch, heads, n, d_head]`
pub(crate) fn attend(
    queries: FlexTensor,
    keys: FlexTensor,
    values: FlexTensor,
    bias: FlexTensor,
) -> FlexTensor {
    let [batch, heads, n, _] = queries.layout().shape().dims();
    let d_head = values.layout().shape()[2];
    let [queries, keys, values, bias] = [queries, keys, values, bias].map(timely);
    let size = keys.layout().num_elements() + values.layout().num_elements();
    let attention = Attention { queries: &queries, keys: &keys, values: &values, bias: &bias };
    let mut output = vec![0.0; batch * heads * n * d_head];
    let attend = |(head, output): (usize, &mut [f32])| {
        for (query, output) in output.chunks_exact_mut(d_head).enumerate() {
            attention.attend([head / heads, head % heads, query], output);
        }
    };
    match is_worth_sharing::<f32>(size) {
        false => output.chunks_mut(n * d_head).enumerate().for_each(attend),
        true => output.par_chunks_mut(n * d_head).enumerate().for_each(attend),
    }
    FlexTensor::from_data(TensorData::new(output, Shape::new([batch, heads, n, d_head])))
}

/// The same with the last dimension consecutive in memory.
fn timely(tensor: FlexTensor) -> FlexTensor {
    assert_eq!(tensor.dtype(), DType::F32, "attention is single precision");
    match tensor.layout().strides()[3] {
        1 => tensor,
        _ => tensor.to_contiguous(),
    }
}

struct Attention<'a> {
    queries: &'a FlexTensor,
    keys: &'a FlexTensor,
    values: &'a FlexTensor,
    bias: &'a FlexTensor,
}

impl Attention<'_> {
    /// What a query of a head sees.
    fn attend(&self, [batch, head, query]: [usize; 3], output: &mut [f32]) {
        let group = self.queries.layout().shape()[1] / self.keys.layout().shape()[1];
        let query_row = row(self.queries, [batch, head, query]);
        let mut weights = row(self.bias, [batch, head, query]).to_vec();
        let keys = vectors(self.keys, [batch, head / group]);
        let simd = Arch::new();
        simd.dispatch(AddScaled { rows: one(query_row), vectors: keys, sums: &mut weights });
        let total = simd.dispatch(Exponentials { scores: &mut weights });
        let values = vectors(self.values, [batch, head / group]);
        simd.dispatch(Products { rows: one(&weights), vectors: values, products: output });
        output.iter_mut().for_each(|it| *it /= total);
    }
}

fn one(row: &[f32]) -> Rows<'_> {
    Rows { numbers: row, stride: row.len(), length: row.len(), n: 1 }
}

/// The last dimension at a place in those before, of which there may be only one.
pub(crate) fn row(tensor: &FlexTensor, at: [usize; 3]) -> &[f32] {
    let layout = tensor.layout();
    let [batch, head, row] = std::array::from_fn(|dim| at[dim].min(layout.shape()[dim] - 1));
    let start = layout.index(&[batch, head, row, 0]);
    &tensor.storage::<f32>()[start..start + layout.shape()[3]]
}

/// The last two dimensions at a place in those before.
fn vectors(tensor: &FlexTensor, [batch, head]: [usize; 2]) -> Vectors<'_, f32> {
    let layout = tensor.layout();
    Vectors {
        numbers: &tensor.storage::<f32>()[layout.index(&[batch, head, 0, 0])..],
        stride: layout.strides()[2] as usize,
        length: layout.shape()[3],
    }
}

/// `exp(score - greatest)` in place of each score, and their sum.
pub(crate) struct Exponentials<'a> {
    pub(crate) scores: &'a mut [f32],
}

impl WithSimd for Exponentials<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> f32 {
        const LANES: usize = 16;
        let mut greatest = [f32::NEG_INFINITY; LANES];
        for chunk in self.scores.chunks(LANES) {
            for (score, greatest) in chunk.iter().zip(&mut greatest) {
                *greatest = if *score > *greatest { *score } else { *greatest };
            }
        }
        let greatest = greatest.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let mut totals = [0.0; LANES];
        for chunk in self.scores.chunks_mut(LANES) {
            for (score, total) in chunk.iter_mut().zip(&mut totals) {
                let below = *score - greatest;
                *score = exp(if below < -87.0 { -87.0 } else { below });
                *total += *score;
            }
        }
        totals.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use audiolm_nn::SeenKeys;
    use burn::prelude::*;
    use burn::tensor::activation::softmax;
    use burn::tensor::{Distribution, Tolerance};

    use crate::step_ops;

    fn noise(shape: [usize; 4]) -> Tensor<4> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
    }

    /// Keys and values as a cache has them: the first of more positions.
    fn seen(batch: usize, heads: usize, time: usize, bias: [usize; 3]) -> SeenKeys {
        let of = |features| noise([batch, heads, features, time + 9]).slice_dim(3, 0..time);
        let [b, h, n] = bias;
        SeenKeys {
            keys: of(24),
            values: of(16),
            bias: noise([b, h, n, time + 5]).slice_dim(3, 5..time + 5),
        }
    }

    #[track_caller]
    fn check(queries: Tensor<4>, seen: SeenKeys) {
        let group = queries.dims()[1] / seen.keys.dims()[1];
        let for_all = |it: &Tensor<4>| {
            let [batch, heads, features, time] = it.dims();
            let each = it.clone().unsqueeze_dim::<5>(2).repeat_dim(2, group);
            each.reshape([batch, heads * group, features, time])
        };
        let scores = queries.clone().matmul(for_all(&seen.keys)) + seen.bias.clone();
        let expected = softmax(scores, 3).matmul(for_all(&seen.values).swap_dims(2, 3));
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        step_ops::attend(queries, seen)
            .into_data()
            .assert_approx_eq(&expected.into_data(), tolerance);
    }

    #[test]
    fn few_queries_see_what_the_formula_says() {
        check(noise([1, 4, 1, 24]), seen(1, 4, 1, [1, 4, 1]));
        check(noise([1, 4, 1, 24]), seen(1, 4, 77, [1, 4, 1]));
        check(noise([3, 4, 5, 24]), seen(3, 4, 1000, [1, 4, 5]));
    }

    #[test]
    fn heads_share_keys() {
        check(noise([2, 6, 1, 24]), seen(2, 2, 90, [1, 6, 1]));
        check(noise([2, 6, 2, 24]), seen(2, 1, 90, [2, 1, 2]));
        check(noise([2, 6, 2, 24]), seen(2, 1, 90, [1, 1, 1]));
    }

    #[test]
    fn what_is_hidden_is_not_seen() {
        let mut all = seen(1, 2, 30, [1, 2, 1]);
        let some = |it: &Tensor<4>| it.clone().slice_dim(3, 0..20);
        let first =
            SeenKeys { keys: some(&all.keys), values: some(&all.values), bias: some(&all.bias) };
        let hidden = Tensor::full([1, 2, 1, 10], f32::NEG_INFINITY, &Device::flex());
        all.bias = Tensor::cat(vec![first.bias.clone(), hidden], 3);
        let queries = noise([1, 2, 1, 24]);
        let tolerance = Tolerance::<f32>::absolute(1e-6);
        let expected = step_ops::attend(queries.clone(), first).into_data();
        step_ops::attend(queries, all).into_data().assert_approx_eq(&expected, tolerance);
    }
}
