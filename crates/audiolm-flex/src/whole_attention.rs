//! Attention of all queries of a clip, some of them at a time: their scores never leave a core's cache.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Flex, Shape, Slice, TensorMetadata};
use pulp::Arch;
use rayon::prelude::*;

use crate::attention::{Exponentials, row};
use crate::pointwise::{own, tensor, values as numbers};

/// Queries whose scores are computed at a time.
const QUERIES: usize = 128;

/// Queries, keys and values, `[batch, heads, time, features]` each.
pub(crate) struct Heads {
    pub(crate) queries: FlexTensor,
    pub(crate) keys: FlexTensor,
    pub(crate) values: FlexTensor,
    /// `[batch, heads, queries, keys]`, or 1 in the place of any but the last, if there is one.
    pub(crate) bias: Option<FlexTensor>,
}

/// Some queries of one head.
#[derive(Debug, Clone, Copy)]
struct Part {
    batch: usize,
    head: usize,
    first: usize,
}

impl Heads {
    /// `softmax(queries · keys + bias) · values`: `[batch, time, heads * d_head]`.
    pub(crate) fn attend(&self) -> FlexTensor {
        let [batch, heads, n, _] = self.queries.shape().dims();
        let d_head = self.values.shape()[3];
        let blocks = n.div_ceil(QUERIES);
        let part = |it: usize| Part {
            batch: it / blocks / heads,
            head: it / blocks % heads,
            first: it % blocks * QUERIES,
        };
        let mixed: Vec<FlexTensor> =
            (0..batch * heads * blocks).into_par_iter().map(|it| self.mixed(part(it))).collect();
        let mut output = vec![0.0; batch * n * heads * d_head];
        output.par_chunks_mut(heads * d_head).enumerate().for_each(|(row, output)| {
            let (batch, query) = (row / n, row % n);
            for (head, output) in output.chunks_exact_mut(d_head).enumerate() {
                let of_head = &mixed[(batch * heads + head) * blocks + query / QUERIES];
                let from = &numbers(of_head)[query % QUERIES * d_head..];
                output.copy_from_slice(&from[..d_head]);
            }
        });
        tensor(output, Shape::new([batch, n, heads * d_head]))
    }

    /// What the queries of a part see: `[1, 1, queries, d_head]`.
    fn mixed(&self, part: Part) -> FlexTensor {
        let n = self.queries.shape()[2];
        let last = (part.first + QUERIES).min(n);
        let queries = matrix(&self.queries, part, Slice::from(part.first..last));
        let keys = Flex::float_transpose(matrix(&self.keys, part, Slice::full()));
        let mut scores = Flex::float_matmul(queries, keys);
        let weights = own(&mut scores).expect("a product is its own");
        self.weigh(weights, part);
        Flex::float_matmul(scores, matrix(&self.values, part, Slice::full()))
    }

    /// Turns the scores of a part into weights.
    fn weigh(&self, scores: &mut [f32], part: Part) {
        let n_keys = self.keys.shape()[2];
        for (query, scores) in scores.chunks_exact_mut(n_keys).enumerate() {
            if let Some(bias) = &self.bias {
                let bias = row(bias, [part.batch, part.head, part.first + query]);
                scores.iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
            }
            let total = Arch::new().dispatch(Exponentials { scores });
            let share = 1.0 / total;
            scores.iter_mut().for_each(|it| *it *= share);
        }
    }
}

/// Some rows of a head, a view: `[1, 1, rows, features]`.
fn matrix(of: &FlexTensor, Part { batch, head, .. }: Part, rows: Slice) -> FlexTensor {
    let at = |it: usize| Slice::from(it..it + 1);
    Flex::float_slice(of.clone(), &[at(batch), at(head), rows, Slice::full()])
}

#[cfg(test)]
mod tests {
    use audiolm_nn::AttentionHeads;
    use burn::prelude::*;
    use burn::tensor::activation::softmax;
    use burn::tensor::{Distribution, Tolerance};

    use crate::step_ops;

    fn noise(shape: [usize; 4]) -> Tensor<4> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
    }

    #[track_caller]
    fn check([batch, heads, n, time]: [usize; 4], bias: Option<[usize; 3]>) {
        // As projections leave them: heads side by side in a frame.
        let of = |n, features| noise([batch, n, heads, features]).swap_dims(1, 2);
        let bias = bias.map(|[batch, heads, n]| noise([batch, heads, n, time]));
        let of = AttentionHeads { queries: of(n, 24), keys: of(time, 24), values: of(time, 16) };
        let mut scores = of.queries.clone().matmul(of.keys.clone().transpose());
        if let Some(bias) = &bias {
            scores = scores + bias.clone();
        }
        let expected = softmax(scores, 3).matmul(of.values.clone()).swap_dims(1, 2);
        let expected = expected.reshape([batch, n, heads * 16]);
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        let found = step_ops::attend_all(of, bias).into_data();
        found.assert_approx_eq(&expected.into_data(), tolerance);
    }

    #[test]
    fn all_queries_see_what_the_formula_says() {
        check([1, 3, 1, 5], None);
        check([2, 3, 300, 280], None);
        check([2, 4, 128, 70], Some([1, 4, 128]));
        check([2, 4, 129, 70], Some([2, 1, 1]));
        check([2, 2, 140, 140], Some([2, 2, 140]));
    }
}
