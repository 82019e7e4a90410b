//! Attention that knows how far away each frame is.

use burn::module::Param;
use burn::nn::{Dropout, DropoutConfig, Initializer, LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use burn::tensor::activation::softmax;

use crate::ConformerConfig;
use crate::linear::bert_linear;

/// Self-attention whose keys have a learnt vector for each distance added (Shaw et al. 2018, arXiv
/// 1803.02155, equation 4): one for all that lie further back than the first, and one for all
/// further ahead than the last.
#[derive(Module, Debug)]
pub struct RelativeAttention {
    pub(crate) norm: LayerNorm,
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    /// `[n_distances, d_head]`, from the furthest back to the furthest ahead.
    pub(crate) distances: Param<Tensor<2>>,
    dropout: Dropout,
    n_heads: usize,
    /// Frames before the query whose distances are told apart.
    frames_before: usize,
}

impl RelativeAttention {
    pub(crate) fn new(config: &ConformerConfig, device: &Device) -> Self {
        let ConformerConfig { d_model, n_heads, .. } = *config;
        let linear = || bert_linear(d_model, d_model, device);
        let normal = Initializer::Normal { mean: 0.0, std: 0.02 };
        Self {
            norm: LayerNormConfig::new(d_model).init(device),
            query: linear(),
            key: linear(),
            value: linear(),
            output: linear(),
            distances: normal.init([config.n_distances(), d_model / n_heads], device),
            dropout: DropoutConfig::new(config.dropout).init(),
            n_heads,
            frames_before: config.frames_before,
        }
    }

    /// # Shapes
    /// - input, output: `[batch, time, d_model]`
    /// - beyond: `[batch, 1, 1, time]`, added to scores
    pub(crate) fn forward(&self, input: Tensor<3>, beyond: Option<&Tensor<4>>) -> Tensor<3> {
        let [batch, time, d_model] = input.dims();
        let d_head = d_model / self.n_heads;
        let heads = |it: Tensor<3>| it.reshape([batch, time, self.n_heads, d_head]).swap_dims(1, 2);
        let input = self.norm.forward(input);
        let query = heads(self.query.forward(input.clone()) * (d_head as f64).powf(-0.5));
        let key = heads(self.key.forward(input.clone()));
        let value = heads(self.value.forward(input));

        let mut scores = query.clone().matmul(key.transpose()) + self.scores(query);
        if let Some(beyond) = beyond {
            scores = scores + beyond.clone();
        }
        let weights = self.dropout.forward(softmax(scores, 3));
        let mixed = weights.matmul(value).swap_dims(1, 2).reshape([batch, time, d_model]);
        self.dropout.forward(self.output.forward(mixed))
    }

    /// What the distances add: each query is compared with each distance once, and each key then
    /// takes the score of its own.
    fn scores(&self, query: Tensor<4>) -> Tensor<4> {
        let of_distances = query.matmul(self.distances.val().transpose().unsqueeze());
        by_key(of_distances, self.frames_before)
    }
}

/// Scores of distances, of which `before` lie before the query and one is its own, as scores of keys:
/// the outermost distances are also those of all keys beyond them.
///
/// # Shapes
/// - of_distances: `[batch, heads, time, n_distances]`
/// - output: `[batch, heads, time, time]`
fn by_key(of_distances: Tensor<4>, before: usize) -> Tensor<4> {
    let [batch, heads, time, n_distances] = of_distances.dims();
    let after = n_distances - 1 - before;
    // From `time - 1` frames back to `time` ahead, so that a row has 2 * time scores.
    let (near_before, near_after) = (before.min(time - 1), after.min(time));
    let near = of_distances.clone().narrow(3, before - near_before, near_before + 1 + near_after);
    let beyond = |outermost: usize, times: usize| {
        let score = || of_distances.clone().narrow(3, outermost, 1);
        (times > 0).then(|| score().expand([batch, heads, time, times]))
    };
    let further_back = beyond(0, time - 1 - near_before);
    let further_ahead = beyond(n_distances - 1, time - near_after);
    let row = [further_back, Some(near), further_ahead];
    let row = Tensor::cat(row.into_iter().flatten().collect(), 3);
    // Rows that are one shorter than they were move each query's scores one to the left of those of
    // the query before, and so each key's under one another (Huang et al. 2018, arXiv 1809.04281,
    // figure 1).
    row.reshape([batch, heads, 2 * time * time])
        .narrow(2, time - 1, time * (2 * time - 1))
        .reshape([batch, heads, time, 2 * time - 1])
        .narrow(3, 0, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores that say which query and which distance they are of.
    #[track_caller]
    fn check(time: usize, [before, after]: [usize; 2]) {
        let n_distances = before + 1 + after;
        let shape = [1, 2, time, n_distances];
        let n = shape.iter().product::<usize>() as i64;
        let scores = Tensor::<1, Int>::arange(0..n, &Device::default()).float().reshape(shape);
        let found = by_key(scores, before).into_data().try_to_vec::<f32>().unwrap();
        let expected = (0..2 * time).flat_map(|row| {
            let query = (row % time) as i64;
            (0..time as i64).map(move |key| {
                let distance = (key - query).clamp(-(before as i64), after as i64) + before as i64;
                (row * n_distances) as f32 + distance as f32
            })
        });
        assert_eq!(found, expected.collect::<Vec<_>>(), "{time} {before} {after}");
    }

    #[test]
    fn gradients_of_keys_at_one_distance_are_summed() {
        let device = Device::default().autodiff();
        let scores = Tensor::<4>::zeros([1, 1, 4, 4], &device).require_grad();
        // Two distances back, one ahead; each key's score counts ten times the one before.
        let keys = Tensor::<1>::from_data([1.0, 10.0, 100.0, 1000.0], &device).unsqueeze();
        let gradients = (by_key(scores.clone(), 2) * keys).sum().backward();
        let found = scores.grad(&gradients).unwrap().into_data().try_to_vec::<f32>().unwrap();
        let expected = [
            [0.0, 0.0, 1.0, 1110.0],
            [0.0, 1.0, 10.0, 1100.0],
            [1.0, 10.0, 100.0, 1000.0],
            [11.0, 100.0, 1000.0, 0.0],
        ];
        assert_eq!(found, expected.concat());
    }

    #[test]
    fn each_key_takes_the_score_of_its_distance() {
        for time in [1, 2, 3, 7, 12] {
            for reach in [[0, 0], [3, 1], [1, 3], [6, 6], [20, 20]] {
                check(time, reach);
            }
        }
    }
}
